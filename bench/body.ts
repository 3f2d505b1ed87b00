/**
 * The two ways to read a body, at a usual page and at a very large one: parsed at once, or streamed token by token.
 * The losing case of each is the reason why there are two: see `http/body.ts`.
 *
 * 2026-11-21, 2 cores shared with other work (load 3 to 6), Node 26.10, medians of 5: on pages of 25 rows parsing at once is 3.9 × as
 * fast (107,000 rows/s against 28,000), on a page of 20 MB 2.9 ×. Loses: its memory, 86 MB for that page against 27.
 */
import { createReadStream, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bench, compared, type Figure, MB, median, middle } from './report.ts';
import { stopwatch } from './stopwatch.ts';
import { interleave, part, type Trial } from './trial.ts';

const PAGE_ROWS = 25;
const PAGES = 400;
const LARGE_BYTES = 20 * MB;
const PATH = ['message_response', 'scandetails'];

/** A row of 1.5 KB with the mixture that vendors send: ids, times, texts, nulls. */
function row(index: number): Readonly<Record<string, unknown>> {
  const texts = Array.from({ length: 30 }, (_, at) => [`field_${at}`, `value ${at} of row ${index}`]);
  const numbers = Array.from({ length: 12 }, (_, at) => [`number_${at}`, 1_700_000_000_000 + index * 100 + at]);
  const blanks = Array.from({ length: 6 }, (_, at) => [`blank_${at}`, at % 2 === 0 ? null : '--']);
  return Object.fromEntries([['resource_id', 40_000_000_000_000 + index], ...texts, ...numbers, ...blanks]);
}

function page(rows: number): string {
  const scandetails = Array.from({ length: rows }, (_, index) => row(index));
  return JSON.stringify({ message_response: { limit: rows, page: 1, total: rows, scandetails }, status: 'success' });
}

interface Measured {
  readonly seconds: number;
  readonly rows: number;
}

async function timed(pages: number, read: () => Promise<number>): Promise<Measured> {
  let rows = 0;
  // A tenth beforehand, so that a short trial does not measure compilation.
  for (let count = 0; count < pages / 10 - 1; count += 1) await read();
  const taken = stopwatch();
  for (let count = 0; count < pages; count += 1) rows += await read();
  return { seconds: taken(), rows };
}

async function whole(file: string, pages: string): Promise<Measured> {
  const { parseWhole } = await import('../http/body.ts');
  return timed(Number(pages), async () => parseWhole(await readFile(file, 'utf8'), PATH).rows.length);
}

async function stream(file: string, pages: string): Promise<Measured> {
  const { parseStream } = await import('../http/body-stream.ts');
  return timed(Number(pages), async () => {
    let rows = 0;
    for await (const group of parseStream(createReadStream(file), PATH)) rows += group.length;
    return rows;
  });
}

const rates = (trials: readonly Trial[]): readonly number[] =>
  trials.map(({ stdout }) => {
    const { rows, seconds } = JSON.parse(stdout) as Measured;
    return rows / seconds;
  });

const memory = (what: string, trials: readonly Trial[], empty: readonly Trial[]): Figure => {
  const peaks = (side: readonly Trial[]) => side.map(({ peak = 0 }) => peak / MB);
  const least = median(peaks(empty));
  return middle(
    what,
    'MB',
    peaks(trials).map((value) => value - least),
  );
};

export const bench: Bench = {
  name: 'body',
  question: 'when is a body parsed at once, and when is it streamed?',
  async run({ folder, rounds }): Promise<readonly Figure[]> {
    const [small, large] = [join(folder, 'small.json'), join(folder, 'large.json')];
    writeFileSync(small, page(PAGE_ROWS));
    writeFileSync(large, page(Math.round(LARGE_BYTES / JSON.stringify(row(0)).length)));
    const trials = await interleave(
      {
        smallWhole: part('body', 'whole', small, PAGES),
        smallStream: part('body', 'stream', small, PAGES),
        largeWhole: part('body', 'whole', large, 1),
        largeStream: part('body', 'stream', large, 1),
        empty: part('body', 'whole', small, 0),
      },
      rounds,
      true,
    );
    return [
      compared('25-row pages, at once / streamed', rates(trials.smallWhole), rates(trials.smallStream)),
      middle('25-row pages, at once', 'rows a second of processor time', rates(trials.smallWhole)),
      middle('25-row pages, streamed', 'rows a second of processor time', rates(trials.smallStream)),
      compared('20 MB page, at once / streamed', rates(trials.largeWhole), rates(trials.largeStream)),
      middle('20 MB page, at once', 'rows a second of processor time', rates(trials.largeWhole)),
      middle('20 MB page, streamed', 'rows a second of processor time', rates(trials.largeStream)),
      memory('20 MB page, at once, memory beyond an idle process', trials.largeWhole, trials.empty),
      memory('20 MB page, streamed, memory beyond an idle process', trials.largeStream, trials.empty),
    ];
  },
  parts: { whole, stream },
};
