/**
 * How many patches each system has and lacks. Only who gets which number depends on the seed: the numbers
 * themselves and so their sum are the same for all seeds.
 */
import { shuffled } from '../draw.ts';
import type { Dataset, Sizes } from './dataset.ts';
import { healthOf } from './health.ts';

/** The largest systems; smaller profiles cut them to what they have patches for. */
const GIANTS = [1_200, 680, 650, 620, 590, 560, 530] as const;
const MEDIAN = 35;
/** Of the log-logistic distribution: makes its mean 1.4 times its median. */
const SPREAD = 0.44;
const LEAST = 3;
const MOST = 480;
const HEAVY_ROWS = 1_200;
const HEAVY_SYSTEMS = 30;

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The most patches that a system of the profile can have, healthy ones included. */
function bound(sizes: Sizes): number {
  return Math.floor(sizes.patches * 0.7);
}

function giantRows(sizes: Sizes): number[] {
  return GIANTS.map((rows, at) => Math.min(rows, bound(sizes) - at));
}

const ordinaryOf = new WeakMap<Sizes, Uint16Array>();

/**
 * The rows of all systems that are neither giants nor empty, fewest first: quantiles of a long-tailed
 * distribution, scaled and rounded so that they add up to the pairs of the profile.
 */
function ordinaryRows(sizes: Sizes): Uint16Array {
  const known = ordinaryOf.get(sizes);
  if (known) return known;
  const giants = giantRows(sizes);
  const [start, end] = sizes.matrixWindow;
  const count = end - start - sizes.systemsWithoutPatches - giants.length;
  const weights = Array.from({ length: count }, (_, at) => {
    const share = (at + 0.5) / count;
    return Math.max(LEAST, Math.min(MEDIAN * (share / (1 - share)) ** SPREAD, MOST, bound(sizes) * 0.8));
  });
  const scale = (sizes.pairs - sum(giants)) / sum(weights);
  let reached = 0;
  let given = 0;
  const rows = Uint16Array.from(weights, (weight) => {
    reached += weight * scale;
    const own = Math.round(reached) - given;
    given += own;
    return own;
  });
  ordinaryOf.set(sizes, rows);
  return rows;
}

const windowsOf = new WeakMap<Dataset, Uint16Array>();

/** The rows of the systems of the window. Who lacks nothing may have nothing; giants are highly vulnerable. */
function windowRows(data: Dataset): Uint16Array {
  const known = windowsOf.get(data);
  if (known) return known;
  const { seed, sizes } = data;
  const [start, end] = sizes.matrixWindow;
  const shuffledWindow = Array.from({ length: end - start }, (_, at) => start + at)
    .map((system) => ({ system, health: healthOf(data, system), place: shuffled(seed, 'rows', system, sizes.systems) }))
    .sort((a, b) => a.place - b.place);
  const ofHealth = (health: number): typeof shuffledWindow => shuffledWindow.filter((each) => each.health === health);
  const giants = giantRows(sizes);
  const empty = [...ofHealth(0), ...ofHealth(1)].slice(0, sizes.systemsWithoutPatches);
  const large = ofHealth(3).slice(0, giants.length);
  const special = new Set([...empty, ...large]);
  const ordinary = ordinaryRows(sizes);
  const rows = new Uint16Array(end - start);
  shuffledWindow
    .filter((each) => !special.has(each))
    .forEach(({ system }, at) => {
      rows[system - start] = ordinary[at] ?? 0;
    });
  large.forEach(({ system }, at) => {
    rows[system - start] = giants[at] ?? 0;
  });
  windowsOf.set(data, rows);
  return rows;
}

/** Pages of 30 are meant, whatever size is asked for. */
function isHeavy({ heavyPage, sizes }: Dataset, system: number): boolean {
  const position = system - sizes.matrixWindow[0];
  return heavyPage > 0 && position >= 0 && Math.floor(position / HEAVY_SYSTEMS) === heavyPage - 1;
}

/** How many patches a system has and lacks. Systems outside the window have as many as an ordinary one. */
export function rowCount(data: Dataset, system: number): number {
  const { seed, sizes } = data;
  if (isHeavy(data, system)) return Math.min(HEAVY_ROWS, bound(sizes));
  const [start, end] = sizes.matrixWindow;
  if (system >= start && system < end) return windowRows(data)[system - start] ?? 0;
  const ordinary = ordinaryRows(sizes);
  return ordinary[shuffled(seed, 'rows', system, ordinary.length)] ?? 0;
}
