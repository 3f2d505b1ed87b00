/**
 * What it costs to remember which keys a sweep has seen: characters of state, time and memory, as keys grow in number.
 *
 * 2026-11-21, 2 cores shared with other work (load 3 to 6), Node 26.10, medians of 5: 5.9 characters a key at 3,362 keys and 4.2 at
 * 1,000,000; these are added in 1.2 s. Loses: encoding after every 250 of them, 23 s in all, because what was added since
 * the last merge (up to an eighth) is sorted and written anew each time.
 */
import { type Bench, type Figure, MB, median, middle } from './report.ts';
import { stopwatch } from './stopwatch.ts';
import { interleave, part, type Trial } from './trial.ts';

/** Systems of a usual tenant, and of the largest one thought of. */
const USUAL = 3_362;
const LARGE = 1_000_000;
/** A checkpoint after ten pages of 25. */
const ENCODE_EVERY = 250;

interface Measured {
  readonly seconds: number;
  readonly characters: number;
}

async function fill(count: string, every: string): Promise<Measured> {
  const { KeySet } = await import('../http/key-set.ts');
  const keys = Array.from({ length: Number(count) }, (_, index) => String(40_000_000_000_000 + index * 7));
  const step = Number(every);
  const taken = stopwatch();
  const set = new KeySet();
  let added = 0;
  for (const key of keys) {
    set.add(key);
    added += 1;
    if (step > 0 && added % step === 0) set.encode();
  }
  const seconds = taken();
  return { seconds, characters: set.encode().join('').length };
}

async function keysOnly(count: string): Promise<number> {
  await import('../http/key-set.ts');
  return Array.from({ length: Number(count) }, (_, index) => String(40_000_000_000_000 + index * 7)).length;
}

const measured = (trials: readonly Trial[]) => trials.map(({ stdout }) => JSON.parse(stdout) as Measured);
const times = (trials: readonly Trial[]) => measured(trials).map(({ seconds }) => seconds);
const perKey = (trials: readonly Trial[], count: number) =>
  measured(trials).map(({ characters }) => characters / count);
const peaks = (trials: readonly Trial[]) => trials.map(({ peak = 0 }) => peak / MB);

export const bench: Bench = {
  name: 'key-set',
  question: 'what do the keys of a sweep cost in state, time and memory?',
  async run({ rounds }): Promise<readonly Figure[]> {
    const trials = await interleave(
      {
        usual: part('key-set', 'fill', USUAL, ENCODE_EVERY),
        added: part('key-set', 'fill', LARGE, 0),
        encoded: part('key-set', 'fill', LARGE, ENCODE_EVERY),
        keys: part('key-set', 'keys', LARGE),
      },
      rounds,
      true,
    );
    const least = median(peaks(trials.keys));
    return [
      middle(`state of ${USUAL} keys`, 'characters a key', perKey(trials.usual, USUAL)),
      middle('state of 1,000,000 keys', 'characters a key', perKey(trials.added, LARGE)),
      middle('1,000,000 keys added', 's of processor time', times(trials.added)),
      middle(`1,000,000 keys added, encoded after every ${ENCODE_EVERY}`, 's of processor time', times(trials.encoded)),
      middle(
        '1,000,000 keys, memory beyond the keys themselves',
        'MB',
        peaks(trials.encoded).map((value) => value - least),
      ),
    ];
  },
  parts: { fill, keys: keysOnly },
};
