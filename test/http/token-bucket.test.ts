import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TokenBucket } from '../../http/token-bucket.ts';
import { VirtualClock } from './virtual-clock.ts';

const signal = new AbortController().signal;

/** Most of the times that lie in any 60 seconds. */
function busiestMinute(times: readonly number[]): number {
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 60_000).length));
}

async function starts(perMinute: number, burst: number, calls: number, idle = 0): Promise<readonly number[]> {
  const clock = new VirtualClock(0);
  const bucket = new TokenBucket(perMinute, burst, clock);
  clock.advance(idle);
  const times: number[] = [];
  for (let call = 0; call < calls; call += 1) {
    await bucket.turn(signal);
    times.push(clock.now());
    bucket.ended(false);
  }
  return times;
}

test('a burst goes at once, then one call after the other', async () => {
  const times = await starts(60, 10, 13);
  expect(times.slice(0, 10)).toEqual(Array(10).fill(0));
  expect(times.slice(10)).toEqual([1000, 2000, 3000]);
});

test('in the long run the rate is the one that is asked for', async () => {
  const times = await starts(150, 40, 1_500);
  const minutes = (times.at(-1) ?? 0) / 60_000;
  expect(1_500 / minutes).toBeGreaterThan(145);
});

test('no 60 seconds see more calls than are allowed, whatever the rate, the burst and the pauses', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 0, max: 200_000 }),
      async (perMinute, burst, idle) => {
        expect(busiestMinute(await starts(perMinute, burst, 3 * perMinute, idle))).toBeLessThanOrEqual(perMinute);
      },
    ),
    { numRuns: 30 },
  );
});

test('those who wait start in the order in which they came', async () => {
  const clock = new VirtualClock(0);
  const bucket = new TokenBucket(60, 1, clock);
  const order: number[] = [];
  await Promise.all([1, 2, 3, 4].map((caller) => bucket.turn(signal).then(() => order.push(caller))));
  expect(order).toEqual([1, 2, 3, 4]);
});

test('after a throttled answer nobody starts before the time that the server named', async () => {
  const clock = new VirtualClock(0);
  const bucket = new TokenBucket(6_000, 40, clock);
  await bucket.turn(signal);
  bucket.ended(true, 30_000);
  await bucket.turn(signal);
  expect(clock.now()).toBe(30_000);
});

test('a caller that is stopped does not hold up those behind it', async () => {
  const clock = new VirtualClock(0);
  const bucket = new TokenBucket(60, 1, clock);
  await bucket.turn(signal);
  const gone = bucket.turn(AbortSignal.abort(new Error('stopped')));
  const next = bucket.turn(signal);
  await expect(gone).rejects.toThrow('stopped');
  await next;
  expect(clock.now()).toBe(1000);
});
