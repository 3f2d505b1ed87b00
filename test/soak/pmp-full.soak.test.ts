/** Every stream that is read by default, and the report of each of 3,362 systems, at full size. */
import { expect, test } from 'vitest';
import { STREAMS } from '../../taps/pmp/streams.ts';
import type { Output } from '../contract/tap/outside.ts';
import { Extraction } from '../taps/extraction.ts';

const SEED = Number(process.env.TAPWORKS_SEED ?? Date.now() % 1_000_000);
const HOUR = 3_600_000;
const MOST_RUNS = 12;

const NAMES = STREAMS.filter(({ name, selectedByDefault }) => selectedByDefault || name === 'system_reports');

/** What the runs brought, without their texts: those of all together would not fit into the memory. */
class Gathered {
  readonly codes: number[] = [];
  readonly activated: string[] = [];
  readonly #ids = new Map<string, Set<string>>();
  readonly #records = new Map<string, number>();

  add(output: Output): void {
    this.codes.push(output.code);
    for (const { type, stream } of output.messages)
      if (type === 'ACTIVATE_VERSION') this.activated.push(String(stream));
    for (const { name, key } of NAMES) {
      const columns = key.length === 2 ? ['resource_id', 'patch_id'] : key;
      const ids = this.#ids.get(name) ?? new Set();
      const rows = output.records(name);
      for (const row of rows) ids.add(columns.map((column) => row[column]).join('/'));
      this.#ids.set(name, ids);
      this.#records.set(name, (this.#records.get(name) ?? 0) + rows.length);
    }
  }

  ids(stream: string): readonly string[] {
    return [...(this.#ids.get(stream) ?? [])].sort();
  }

  records(stream: string): number {
    return this.#records.get(stream) ?? 0;
  }
}

test.each([50, 0])(
  `%i pages a run: every id of every stream, and then no request (seed ${SEED})`,
  async (pages_per_run) => {
    const extraction = await Extraction.start(
      { profile: 'full', scenario: 'seed-paths', seed: SEED },
      { streams: NAMES.map(({ name }) => name), pages_per_run },
    );
    const gathered = new Gathered();
    for (let run = 1; ; run += 1) {
      expect(run).toBeLessThanOrEqual(MOST_RUNS);
      const output = await extraction.run({}, ['--log-level', 'WARNING']);
      if (output.stdout === '') {
        expect(output.code).toBe(0);
        break;
      }
      gathered.add(output);
      expect(output.logs).toEqual([]);
      extraction.clock.advance(6 * HOUR);
    }
    expect(new Set(gathered.codes)).toEqual(new Set([0]));
    for (const { name, versioned } of NAMES) {
      if (!versioned) {
        expect([name, gathered.records(name)]).toEqual([name, 1]);
        continue;
      }
      const truth = [...extraction.ids(name)].sort();
      const found = gathered.ids(name);
      expect([name, found.length, truth.length > 0]).toEqual([name, truth.length, true]);
      expect(found.findIndex((id, index) => id !== truth[index])).toBe(-1);
    }
    expect(gathered.activated.sort()).toEqual(
      NAMES.filter(({ versioned }) => versioned)
        .map(({ name }) => name)
        .sort(),
    );
    const requests = extraction.tenant.requests.length;
    await extraction.run();
    expect(extraction.tenant.requests).toHaveLength(requests);
  },
  1_800_000,
);
