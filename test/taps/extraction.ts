/** A ManageEngine tap (tap-pmp if none is named) against its simulator: runs in a row that hand on their state, in virtual time. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { afterEach } from 'vitest';
import {
  type ManageEngine,
  type ManageEngineOptions,
  startManageEngine,
} from '../../simulators/manageengine/server.ts';
import type { Tenant } from '../../simulators/manageengine/tenant.ts';
import type { Json } from '../../singer/lossless.ts';
import type { Closing, Tap } from '../../singer/stream.ts';
import { tap as pmp } from '../../taps/pmp/tap.ts';
import { type Output, type RunOptions, runOnce } from '../contract/tap/outside.ts';
import { VirtualClock } from '../http/virtual-clock.ts';

export const HOSTILE = env.TAPWORKS_HOSTILE === '1';

export const SCAN = '/api/1.4/patch/scandetails';
export const TOKEN = '/oauth/v2/token';

type Settings = Readonly<Record<string, Json>>;

const open: Extraction[] = [];

afterEach(async () => {
  for (const extraction of open.splice(0)) await extraction.close();
});

/** A simulator, a clock both sides share, and a folder for settings and state. Closed after the test. */
export class Extraction {
  readonly clock: VirtualClock;
  readonly simulator: ManageEngine;
  readonly folder: string;
  readonly statePath: string;
  readonly #tap: Tap<Closing>;
  readonly #settings: Settings;
  #configs = 0;

  private constructor(
    clock: VirtualClock,
    simulator: ManageEngine,
    folder: string,
    settings: Settings,
    tap: Tap<Closing>,
  ) {
    this.clock = clock;
    this.simulator = simulator;
    this.folder = folder;
    this.statePath = join(folder, 'state.json');
    this.#tap = tap;
    this.#settings = settings;
  }

  static async start(
    options: Omit<ManageEngineOptions, 'now'> = {},
    settings: Settings = {},
    clock: VirtualClock = new VirtualClock(),
    tap: Tap<Closing> = pmp as unknown as Tap<Closing>,
  ): Promise<Extraction> {
    const simulator = await startManageEngine({ ...options, now: () => clock.now() });
    const folder = await mkdtemp(join(tmpdir(), 'tapworks-pmp-'));
    // In small pieces; byte by byte, as the contract has it, would take minutes here.
    if (HOSTILE) simulator.tenant().configure({ chunk_bytes: options.profile === 'full' ? 4_093 : 509 });
    const extraction = new Extraction(clock, simulator, folder, settings, tap);
    open.push(extraction);
    return extraction;
  }

  get tenant(): Tenant {
    return this.simulator.tenant();
  }

  async config(settings: Settings = {}): Promise<string> {
    this.#configs += 1;
    const path = join(this.folder, `config-${this.#configs}.json`);
    const all = { ...this.simulator.config, ...this.#settings, ...settings };
    await writeFile(
      path,
      JSON.stringify(Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null))),
    );
    return path;
  }

  /** Virtual times of the token requests so far. */
  get tokenRequests(): readonly number[] {
    return this.tenant.requests.filter(({ path }) => path === TOKEN).map(({ at }) => at);
  }

  /** Requests below /api so far. */
  get apiRequests(): number {
    return this.tenant.requests.filter(({ path }) => path.startsWith('/api/')).length;
  }

  /** One run with the state file; the last state that came out replaces it, as a target would have it. */
  async run(settings: Settings = {}, argv: readonly string[] = [], options: RunOptions = {}): Promise<Output> {
    const output = await runOnce(
      this.#tap,
      ['--config', await this.config(settings), '--state', this.statePath, ...argv],
      { clock: this.clock, ...(HOSTILE && { env: { TAPWORKS_HOSTILE: '1' } }), ...options },
    );
    const last = output.states.at(-1);
    if (last !== undefined) await this.writeState(last);
    return output;
  }

  async writeState(state: Json): Promise<void> {
    await writeFile(this.statePath, JSON.stringify(state));
  }

  async state(): Promise<Readonly<Record<string, Json>>> {
    return JSON.parse(await readFile(this.statePath, 'utf8'));
  }

  /** Ids that a stream has at the simulator, of pairs `resource_id/patch_id`; of one customer if named. */
  ids(stream: string, customer?: string): readonly string[] {
    const options = { ids: true, stream, ...(customer !== undefined && { customer }) };
    return this.tenant.manifest(options).streams[stream]?.ids ?? [];
  }

  async close(): Promise<void> {
    await this.simulator.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Ids that all these outputs brought, in alphabetical order; the values of several columns joined by `/`. */
export function idsIn(
  outputs: readonly Output[],
  stream = 'systems',
  ...columns: readonly string[]
): readonly string[] {
  const key = columns.length === 0 ? ['resource_id'] : columns;
  const ids = outputs.flatMap((output) => output.records(stream).map((row) => key.map((name) => row[name]).join('/')));
  return [...new Set(ids)].sort();
}

/** Runs until one ends without the sweep being open any more, at most `limit` times. */
export async function runsToTheEnd(
  extraction: Extraction,
  settings: Settings = {},
  limit = 20,
  between: (run: number) => void = () => undefined,
): Promise<Output[]> {
  const outputs: Output[] = [];
  for (let run = 1; run <= limit; run += 1) {
    const output = await extraction.run(settings);
    outputs.push(output);
    if (output.events('batch_complete').some(({ requests }) => requests === 0)) return outputs;
    between(run);
  }
  throw new Error(`not finished after ${limit} runs: ${outputs.at(-1)?.summary}`);
}
