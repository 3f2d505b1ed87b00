import { describe, expect, test } from 'vitest';
import { backoff, type RetryPolicy, retrying } from '../../singer/retry.ts';
import { fakeClock } from './memory-io.ts';

const signal = new AbortController().signal;
const policy = (more: Partial<RetryPolicy> = {}): RetryPolicy => ({
  attempts: 3,
  maxWait: 1000,
  judge: ({ attempt }) => ({ action: 'retry', wait: 400 * attempt }),
  ...more,
});

/** Fails the first `failures` times, having yielded one value. */
const flaky = (failures: number) =>
  async function* (number: number) {
    yield `${number}a`;
    if (number <= failures) throw new Error(`attempt ${number}`);
    yield `${number}b`;
    return `done at ${number}`;
  };

async function drain<T, R>(pages: AsyncGenerator<T, R>): Promise<{ values: T[]; result?: R; error?: unknown }> {
  const values: T[] = [];
  try {
    for (;;) {
      const next = await pages.next();
      if (next.done === true) return { values, result: next.value };
      values.push(next.value);
    }
  } catch (error) {
    return { values, error };
  }
}

describe('attempts', () => {
  test.each([
    [0, ['1a', '1b'], 'done at 1', []],
    [1, ['1a', '2a', '2b'], 'done at 2', [400]],
    [2, ['1a', '2a', '3a', '3b'], 'done at 3', [400, 800]],
  ])('%i failures: values of failed attempts have been yielded', async (failures, values, result, sleeps) => {
    const clock = fakeClock();
    expect(await drain(retrying(flaky(failures), policy(), clock, signal))).toEqual({ values, result });
    expect(clock.sleeps).toEqual(sleeps);
  });

  test('when they are used up the last error is thrown', async () => {
    const { error } = await drain(retrying(flaky(9), policy(), fakeClock(), signal));
    expect(error).toEqual(new Error('attempt 3'));
  });

  test('the rule may give up at once', async () => {
    const clock = fakeClock();
    const { error } = await drain(retrying(flaky(9), policy({ judge: () => ({ action: 'fail' }) }), clock, signal));
    expect(error).toEqual(new Error('attempt 1'));
    expect(clock.sleeps).toEqual([]);
  });

  test('waits are capped and told; a wait of nothing is none', async () => {
    const clock = fakeClock();
    const told: unknown[] = [];
    const given = policy({
      judge: async ({ attempt }) => ({ action: 'retry', wait: attempt === 1 ? 99_999 : 0 }),
      onRetry: ({ attempt }, wait) => told.push([attempt, wait]),
    });
    await drain(retrying(flaky(2), given, clock, signal));
    expect(told).toEqual([
      [1, 1000],
      [2, 0],
    ]);
    expect(clock.sleeps).toEqual([1000]);
  });

  test('a stop ends the wait', async () => {
    const controller = new AbortController();
    const onRetry = () => controller.abort(new Error('stop'));
    const { values, error } = await drain(retrying(flaky(9), policy({ onRetry }), fakeClock(), controller.signal));
    expect(values).toEqual(['1a']);
    expect(error).toEqual(new Error('stop'));
  });

  test('a stop is not retried, even without a wait', async () => {
    const controller = new AbortController();
    const judge = () => {
      controller.abort(new Error('stop'));
      return { action: 'retry', wait: 0 } as const;
    };
    const { values, error } = await drain(retrying(flaky(9), policy({ judge }), fakeClock(), controller.signal));
    expect(values).toEqual(['1a']);
    expect(error).toEqual(new Error('stop'));
  });

  test('a stop during the attempt is not judged', async () => {
    const controller = new AbortController();
    controller.abort(new Error('stop'));
    const judge = () => expect.unreachable();
    const { error } = await drain(retrying(flaky(9), policy({ judge }), fakeClock(), controller.signal));
    expect(error).toEqual(new Error('stop'));
  });
});

test('backoff doubles and adds up to a tenth', () => {
  const waits = (random: number) => [1, 2, 3].map((attempt) => backoff(1000, attempt, { random: () => random }));
  expect(waits(0)).toEqual([1000, 2000, 4000]);
  expect(waits(0.5)).toEqual([1050, 2100, 4200]);
});
