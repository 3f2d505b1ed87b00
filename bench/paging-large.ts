/**
 * Whether a sweep costs the same per row when there are a million of them. The pages come from memory, because the
 * simulator keeps each page it has made; all that is measured is ours: paging, keys, states. Every state is written as
 * text, as the tap does. Node's own settings of memory, not the tap's.
 *
 * 2026-11-21, 2 cores shared with other work (load 3 to 6), Node 26.10, medians of 5: up to 100,000 rows the cost is linear. Loses:
 * 1,000,000 rows in pages of 1,000 cost 20 × as much as 100,000 (10.5 s) and take 361 MB, because each of the 100
 * checkpoints carries all keys so far: 650 million characters of states for 1,000,000 rows. Pages of 25 are worse: one
 * trial of 1,000,000 rows wrote 26,000 million and took two minutes, so they are measured at a tenth.
 */
import type { Http } from '../http/exchange.ts';
import type { Run } from '../singer/stream.ts';
import { type Bench, compared, type Figure, median, middle, peak } from './report.ts';
import { stopwatch } from './stopwatch.ts';
import { interleave, part, type Trial } from './trial.ts';

const FEW = 100_000;
const MANY = 1_000_000;
const LARGE_PAGE = 1_000;
const USUAL_PAGE = 25;

interface Measured {
  readonly seconds: number;
  readonly rows: number;
  /** Characters of the last state while the sweep was open, and of all states together. */
  readonly largest: number;
  readonly characters: number;
}

function memoryHttp(total: number, size: number): Http {
  return {
    exchange: async function* ({ query }) {
      const first = (Number(query?.page) - 1) * size;
      const count = Math.max(0, Math.min(size, total - first));
      yield Array.from({ length: count }, (_, at) => ({ resource_id: String(40_000_000_000_000 + (first + at) * 7) }));
      return { value: { total, limit: size }, found: true };
    },
    stats: { requests: 0, retried: 0, recovered: 0, lost: 0 },
    answered: true,
    close: async () => undefined,
  };
}

async function sweep(rows: string, pageSize: string): Promise<Measured> {
  const { sweepPages } = await import('../http/numbered-pages.ts');
  const { systemClock } = await import('../singer/io.ts');
  const { Metrics } = await import('../singer/metrics.ts');
  const { NO_PROGRESS } = await import('../singer/progress.ts');
  const [total, size] = [Number(rows), Number(pageSize)];
  const nothing = () => undefined;
  const run: Run = {
    log: {
      debug: nothing,
      info: nothing,
      warn: nothing,
      error: nothing,
      critical: nothing,
      hide: nothing,
      redact: (text) => text,
      always: nothing,
      around: nothing,
    },
    clock: systemClock(),
    signal: new AbortController().signal,
    metrics: new Metrics(),
    progress: NO_PROGRESS,
    env: {},
  };
  const pages = sweepPages(
    {
      stream: 'systems',
      url: 'http://127.0.0.1/systems',
      rows: ['systems'],
      envelope: (value) => value as { total: number; size: number },
      query: (page) => ({ page }),
      record: (row) => row,
      keyOf: (record) => String(record.resource_id),
      size,
      usualSize: size,
      noun: 'systems',
    },
    memoryHttp(total, size),
    undefined,
    { pagesPerRun: 0, checkpointPages: 10 },
    run,
  );
  let [seen, largest, characters] = [0, 0, 0];
  const taken = stopwatch();
  for await (const page of pages) {
    for await (const rows of page.rows) seen += rows.length;
    const text = JSON.stringify(page.state);
    largest = Math.max(largest, text.length);
    characters += text.length;
  }
  return { seconds: taken(), rows: seen, largest, characters };
}

const measured = (trials: readonly Trial[]) => trials.map(({ stdout }) => JSON.parse(stdout) as Measured);
const times = (trials: readonly Trial[]) => measured(trials).map(({ seconds }) => seconds);

export const bench: Bench = {
  name: 'paging-large',
  long: true,
  question: 'does a sweep of 1,000,000 systems cost the same per row as one of 100,000?',
  async run({ rounds }): Promise<readonly Figure[]> {
    const trials = await interleave(
      {
        few: part('paging-large', 'sweep', FEW, LARGE_PAGE),
        many: part('paging-large', 'sweep', MANY, LARGE_PAGE),
        fewSmall: part('paging-large', 'sweep', FEW / 10, USUAL_PAGE),
        manySmall: part('paging-large', 'sweep', FEW, USUAL_PAGE),
      },
      rounds,
      true,
    );
    const states = (side: readonly Trial[]): string => {
      const all = measured(side);
      const millions = (pick: (one: Measured) => number) => (median(all.map(pick)) / 1e6).toFixed(1);
      return `largest state ${millions((one) => one.largest)} million characters, all states ${millions((one) => one.characters)}`;
    };
    return [
      compared('1,000,000 rows / 100,000, pages of 1,000', times(trials.many), times(trials.few), {
        budget: { limit: 10.5, keep: 'at most' },
      }),
      compared('100,000 rows / 10,000, pages of 25', times(trials.manySmall), times(trials.fewSmall), {
        budget: { limit: 10.5, keep: 'at most' },
      }),
      middle('1,000,000 rows, pages of 1,000', 's of processor time', times(trials.many), {
        note: states(trials.many),
      }),
      middle('100,000 rows, pages of 25', 's of processor time', times(trials.manySmall), {
        note: states(trials.manySmall),
      }),
      middle('10,000 rows, pages of 25', 's of processor time', times(trials.fewSmall), {
        note: states(trials.fewSmall),
      }),
      ...peak('1,000,000 rows, pages of 1,000', trials.many),
      ...peak('100,000 rows, pages of 1,000', trials.few),
    ];
  },
  parts: { sweep },
};
