/** SIGTERM reaches a client wherever it waits, and comes out as the stop it is. */
import { expect, it } from 'vitest';
import { TokenBudget } from '../../http/oauth.ts';
import { Pace } from '../../http/throttle.ts';
import { Stop, systemClock } from '../../singer/io.ts';
import { ask, clientFor, inTurn, OK, type Reply, serve } from './replies.ts';
import { memoryRun } from './run.ts';

/** A run whose waits are real, so that only the stop ends them. */
function waitingRun() {
  const run = memoryRun();
  const clock = systemClock();
  const asleep: (() => void)[] = [];
  return {
    ...run,
    clock: {
      ...clock,
      sleep: (ms: number, signal?: AbortSignal) => {
        for (const tell of asleep.splice(0)) tell();
        return clock.sleep(ms, signal);
      },
    },
    /** Resolves when something sleeps. */
    asleep: () => new Promise<void>((resolve) => asleep.push(resolve)),
  };
}

const HOUR = 3_600_000;

it('while it waits before another attempt', async () => {
  const run = waitingRun();
  const server = await inTurn({ status: 503 });
  const asked = ask(clientFor(run, { retry: { backoff: HOUR, maxWait: HOUR } }), server.url);
  void run.asleep().then(run.stop);
  await expect(asked).rejects.toBeInstanceOf(Stop);
  expect(server.requests).toHaveLength(1);
});

it('while it waits its turn', async () => {
  const run = waitingRun();
  const server = await inTurn(OK);
  const http = clientFor(run, { pace: new Pace(HOUR, run.clock) });
  await ask(http, server.url);
  void run.asleep().then(run.stop);
  await expect(ask(http, server.url)).rejects.toBeInstanceOf(Stop);
  expect(server.requests).toHaveLength(1);
});

it('while it waits for the token budget', async () => {
  const run = waitingRun();
  const server = await inTurn(OK);
  const http = clientFor(run, { pace: new TokenBudget(HOUR, run) });
  for (let at = 0; at < 8; at += 1) await ask(http, server.url);
  void run.asleep().then(run.stop);
  await expect(ask(http, server.url)).rejects.toBeInstanceOf(Stop);
});

it('while it waits for an answer', async () => {
  const run = waitingRun();
  const server = await serve((): Reply | undefined => {
    run.stop();
    return undefined;
  });
  await expect(ask(clientFor(run), server.url)).rejects.toBeInstanceOf(Stop);
  expect(server.requests).toHaveLength(1);
});

it.each([0, 300_000])('while it reads a body (small bodies up to %i)', async (smallBody) => {
  const run = waitingRun();
  const server = await serve((_number, _request, response) => {
    response.write(`{"rows":[${'{"id":1},'.repeat(1_000)}`, () => setImmediate(run.stop));
    return undefined;
  });
  await expect(ask(clientFor(run, { smallBody }), server.url)).rejects.toBeInstanceOf(Stop);
  expect(server.requests).toHaveLength(1);
});

it('before it begins', async () => {
  const run = waitingRun();
  const server = await inTurn(OK);
  run.stop();
  await expect(ask(clientFor(run), server.url)).rejects.toBeInstanceOf(Stop);
  expect(server.requests).toHaveLength(0);
});
