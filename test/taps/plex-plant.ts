/** A simulated plant whose clock is the tap's, and runs of tap-plex against it with a state that is kept. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { type Plex, type PlexOptions, startPlex } from '../../simulators/plex/server.ts';
import type { Json } from '../../singer/lossless.ts';
import { tap } from '../../taps/plex/tap.ts';
import { type Output, type RunOptions, runOnce } from '../contract/tap/outside.ts';
import { HOSTILE } from '../contract/tap/scene.ts';
import { VirtualClock } from '../http/virtual-clock.ts';

export const START = Date.UTC(2026, 2, 14, 6);
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

export type Fields = Readonly<Record<string, unknown>>;

/** Every stream, the optional ones and those that are off by default too. */
export const EVERYTHING: Readonly<Record<string, Json>> = {
  enable_quality: true,
  enable_performance: true,
  streams: ['*'],
};

/** A row of the truth. */
export interface TruthLine {
  readonly key: Fields;
  readonly fields: Fields;
}

export class Plant {
  readonly simulator: Plex;
  readonly clock: VirtualClock;
  readonly folder: string;
  readonly #settings: Readonly<Record<string, Json>>;
  #configs = 0;

  private constructor(simulator: Plex, clock: VirtualClock, folder: string, settings: Readonly<Record<string, Json>>) {
    this.simulator = simulator;
    this.clock = clock;
    this.folder = folder;
    this.#settings = settings;
  }

  /**
   * Starts a plant. With `stands` its clock is moved by hand only and nobody counts calls, so that truth and tables agree to
   * the second.
   */
  static async open(
    options: Partial<PlexOptions> & { readonly stands?: boolean } = {},
    settings: Readonly<Record<string, Json>> = EVERYTHING,
  ): Promise<Plant> {
    const { stands = true, ...wanted } = options;
    const clock = new VirtualClock(START);
    const simulator = await startPlex({ profile: 'tiny', now: () => clock.now(), ...wanted });
    if (stands) simulator.site.configure({ clock: 'stands', calls_per_minute: 0 });
    // What is booked in the last two minutes is left to the next run.
    clock.advance(3 * MINUTE);
    const plant = new Plant(simulator, clock, await mkdtemp(join(tmpdir(), 'tapworks-plex-')), settings);
    open.push(plant);
    return plant;
  }

  get statePath(): string {
    return join(this.folder, 'state.json');
  }

  async config(settings: Readonly<Record<string, Json>> = {}): Promise<string> {
    this.#configs += 1;
    const path = join(this.folder, `config-${this.#configs}.json`);
    await writeFile(path, JSON.stringify({ ...this.simulator.config, ...this.#settings, ...settings }));
    return path;
  }

  /** One run with the state file; the last state that came out replaces it, as a target would have it. */
  async run(
    settings: Readonly<Record<string, Json>> = {},
    argv: readonly string[] = [],
    options: RunOptions = {},
  ): Promise<Output> {
    const output = await runOnce(tap, ['--config', await this.config(settings), '--state', this.statePath, ...argv], {
      clock: this.clock,
      ...(HOSTILE && { env: { TAPWORKS_HOSTILE: '1' } }),
      ...options,
    });
    const last = output.states.at(-1);
    if (last !== undefined) await writeFile(this.statePath, JSON.stringify(last));
    return output;
  }

  async state(): Promise<{ readonly bookmarks: Readonly<Record<string, Fields>> }> {
    return JSON.parse(await readFile(this.statePath, 'utf8'));
  }

  async writeState(state: Json): Promise<void> {
    await writeFile(this.statePath, JSON.stringify(state));
  }

  /** The rows that a stream has at the plant, as a tap should deliver them. */
  truth(stream: string, names = false): readonly TruthLine[] {
    return [...this.simulator.site.truth(stream, this.simulator.site.window(null, null), names)];
  }

  /** Both clocks move on. */
  advance(ms: number): void {
    this.clock.advance(ms);
    this.simulator.site.advance(ms);
  }

  /** Requests so far, those of the control surface left out. */
  get calls() {
    return this.simulator.site.log.entries;
  }

  async close(): Promise<void> {
    await this.simulator.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

const open: Plant[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((plant) => plant.close()));
});

/** A row as far as the truth tells it, with its numbers rounded where sums of fractions differ in their last digits. */
export function likeTruth(row: Fields, truth: Fields): Fields {
  return Object.fromEntries(Object.keys(truth).map((name) => [name, rounded(row[name])]));
}

export function rounded(value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(10)) : value;
}

export function roundedRow(row: Fields): Fields {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, rounded(value)]));
}

/** Tables as a target keeps them: the last row of each key. */
export class Tables {
  readonly #tables = new Map<string, { readonly keys: readonly string[]; readonly rows: Map<string, Fields> }>();

  /** Loads the messages of a run; returns how many rows were new or different. */
  load(output: Output): number {
    let changed = 0;
    for (const message of output.messages) {
      const { type, stream } = message;
      if (type === 'SCHEMA' && !this.#tables.has(String(stream))) {
        this.#tables.set(String(stream), { keys: message.key_properties as readonly string[], rows: new Map() });
      }
      if (type !== 'RECORD') continue;
      const table = this.#tables.get(String(stream));
      if (table === undefined) throw new Error(`no schema for ${String(stream)}`);
      const row = message.record as Fields;
      const key = table.keys.map((name) => String(row[name])).join(' ');
      const { _syncedAt, ...content } = row;
      const { _syncedAt: _before, ...had } = table.rows.get(key) ?? {};
      if (JSON.stringify(content) !== JSON.stringify(had)) changed += 1;
      table.rows.set(key, row);
    }
    return changed;
  }

  rows(stream: string): readonly Fields[] {
    return [...(this.#tables.get(stream)?.rows.values() ?? [])];
  }

  row(stream: string, ...key: readonly unknown[]): Fields | undefined {
    return this.#tables.get(stream)?.rows.get(key.map(String).join(' '));
  }
}

/** Rows of the truth that a table lacks or has otherwise. */
export function differences(plant: Plant, tables: Tables, stream: string): readonly unknown[] {
  // Of histories of observations only the last one of each thing is the truth of now.
  const byThing = new Map<string, Fields>();
  if (stream === 'workcenter_status') {
    for (const row of tables.rows(stream)) {
      const id = String(row.workcenterId);
      if (String(byThing.get(id)?.observedAt ?? '') <= String(row.observedAt)) byThing.set(id, row);
    }
  }
  return plant.truth(stream).flatMap(({ key, fields }) => {
    const found =
      stream === 'workcenter_status'
        ? byThing.get(String(key.workcenterId))
        : tables.row(stream, ...Object.values(key));
    const wanted = roundedRow(fields);
    const have = found === undefined ? undefined : likeTruth(found, fields);
    return JSON.stringify(have) === JSON.stringify(wanted) ? [] : [{ stream, key, have, wanted }];
  });
}
