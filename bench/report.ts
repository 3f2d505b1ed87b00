/** Figures: how they are put together from trials, judged against their budgets, printed and kept. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Trial } from './trial.ts';

/** Memory is told in megabytes of 1,000,000 bytes: the budgets mean these. */
export const MB = 1_000_000;

/** What a figure has to keep to. */
export interface Budget {
  readonly limit: number;
  readonly keep: 'at most' | 'below' | 'at least';
}

/** One answer of a bench. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** Smallest and largest of the single rounds. */
  readonly spread?: readonly [number, number];
  readonly budget?: Budget;
  /** Conditions that the reader has to know to read the figure right. */
  readonly note?: string;
}

/** A bench: one question, its figures. */
export interface Bench {
  readonly name: string;
  readonly question: string;
  /** Answers; the lines are printed and kept in this order. */
  run(setting: Setting): Promise<readonly Figure[]>;
  /** Work of single trials, each in a process of its own (`bench/part.ts`); what they return is printed as JSON. */
  readonly parts?: Readonly<Record<string, (...args: readonly string[]) => unknown>>;
  /** Runs only with `--long`. */
  readonly long?: true;
}

export interface Setting {
  /** Trials of each side. */
  readonly rounds: number;
  /** Whether the forms that take minutes are wanted too. */
  readonly long: boolean;
  /** A folder for data, removed at the end. */
  readonly folder: string;
  /** Tells what is being done, and what is left out and why. */
  say(text: string): void;
}

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('no trials, no median');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

export interface Ratio {
  readonly value: number;
  readonly spread: readonly [number, number];
}

/** Median of `ours` over median of `baseline`, and the range of the rounds' own ratios. */
export function ratio(ours: readonly number[], baseline: readonly number[]): Ratio {
  if (ours.length !== baseline.length) throw new Error('a ratio needs as many trials of ours as of the baseline');
  const rounds = ours.map((value, round) => value / (baseline[round] ?? Number.NaN));
  return { value: median(ours) / median(baseline), spread: [Math.min(...rounds), Math.max(...rounds)] };
}

export const secondsOf = (trials: readonly Trial[]): readonly number[] => trials.map(({ seconds }) => seconds);

/** Median of some values with their range. */
export function middle(what: string, unit: string, values: readonly number[], more: Partial<Figure> = {}): Figure {
  return { what, unit, value: median(values), spread: [Math.min(...values), Math.max(...values)], ...more };
}

/** Median wall time of the trials. */
export function seconds(what: string, trials: readonly Trial[], more: Partial<Figure> = {}): Figure {
  return middle(what, 's', secondsOf(trials), more);
}

/** Processor time of ours over that of the baseline: what stays comparable on a machine that has other work to do. */
export function comparedCpu(what: string, ours: readonly Trial[], baseline: readonly Trial[]): readonly Figure[] {
  const cpu = (trials: readonly Trial[]) => trials.flatMap((trial) => (trial.cpu === undefined ? [] : [trial.cpu]));
  const [one, other] = [cpu(ours), cpu(baseline)];
  if (one.length === 0 || other.length === 0) return [];
  return [
    compared(`${what}, processor time`, one, other, {
      note: `${rounded(median(one))} s / ${rounded(median(other))} s`,
    }),
  ];
}

/** Peak memory: the budget is about the worst trial, so that is the figure. Nothing where the system does not tell. */
export function peak(what: string, trials: readonly Trial[], budgetMb?: number): readonly Figure[] {
  const peaks = trials.flatMap((trial) => (trial.peak === undefined ? [] : [trial.peak / MB]));
  if (peaks.length === 0) return [];
  return [
    {
      what: `${what}, peak memory`,
      unit: 'MB',
      value: Math.max(...peaks),
      spread: [Math.min(...peaks), Math.max(...peaks)],
      ...(budgetMb !== undefined && { budget: { limit: budgetMb, keep: 'below' } }),
    },
  ];
}

/** `ours` over `baseline` as a figure. */
export function compared(
  what: string,
  ours: readonly number[],
  baseline: readonly number[],
  more: Partial<Figure> = {},
): Figure {
  return { what, unit: '×', ...ratio(ours, baseline), ...more };
}

/** Whether a figure keeps to its budget; undefined without one. */
export function verdict({ value, budget }: Figure): 'within' | 'over' | undefined {
  if (budget === undefined) return undefined;
  const { limit, keep } = budget;
  const good = keep === 'at most' ? value <= limit : keep === 'below' ? value < limit : value >= limit;
  return good ? 'within' : 'over';
}

/** Three digits that count; whole numbers stay whole. */
export function rounded(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}

/** `target-sqlite / sqlite3 .import  1.62 × (1.55–1.71), budget at most 2: within` */
export function lineOf(figure: Figure): string {
  const { what, value, unit, spread, budget, note } = figure;
  const range = spread === undefined ? '' : ` (${rounded(spread[0])}–${rounded(spread[1])})`;
  const judged = budget === undefined ? '' : `, budget ${budget.keep} ${rounded(budget.limit)}: ${verdict(figure)}`;
  return `${what}  ${rounded(value)} ${unit}${range}${judged}${note === undefined ? '' : ` [${note}]`}`;
}

/** What has to be known of a machine to compare figures, and nothing that names it. */
export function machine(): Readonly<Record<string, string | number>> {
  return {
    cores: availableParallelism(),
    memory_gib: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    system: `${process.platform} ${process.arch}`,
    /** Processes that wanted to run during the last minute: more than the cores had other work to do. */
    load: Number((loadavg()[0] ?? 0).toFixed(1)),
  };
}

const TABLE_HEAD = [
  '# Results',
  '',
  'Written by `npm run bench`. Absolute figures depend on the machine and on what else it does; ratios hold.',
  '',
  '| Date | Bench | Machine | Figures |',
  '|---|---|---|---|',
  '',
].join('\n');

/** Writes `<date>-<name>.json` and a line of the table; a second run on one day takes the place of the first. */
export function keep(
  folder: string,
  bench: Pick<Bench, 'name' | 'question'>,
  figures: readonly Figure[],
  date: string,
): void {
  mkdirSync(folder, { recursive: true });
  const { name, question } = bench;
  const here = machine();
  const judged = figures.map((figure) => ({ ...figure, verdict: verdict(figure) }));
  const result = { bench: name, question, date, machine: here, figures: judged };
  writeFileSync(join(folder, `${date}-${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
  const table = join(folder, 'README.md');
  const start = `| ${date} | ${name} | `;
  const text = existsSync(table) ? readFileSync(table, 'utf8') : TABLE_HEAD;
  const { cores, memory_gib: memory, node } = here;
  const line = `${start}${cores} cores, ${memory} GiB, Node ${node} | ${figures.map(lineOf).join('<br>')} |`;
  const rows = text
    .split('\n')
    .filter((other) => other.startsWith('| ') && !other.startsWith('| Date') && !other.startsWith(start));
  writeFileSync(table, `${TABLE_HEAD}${[...rows, line].join('\n')}\n`);
}
