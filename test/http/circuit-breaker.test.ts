import { expect, test } from 'vitest';
import { withBreaker } from '../../http/circuit-breaker.ts';
import type { Exchange, HttpRequest } from '../../http/exchange.ts';
import { HttpFailure } from '../../http/judge.ts';
import { VirtualClock } from './virtual-clock.ts';

const OUTAGE = { reaction: 'retry', type: '5xx_server_error', message: 'the server failed (503)' } as const;
const REFUSAL = { reaction: 'fail', type: 'contract_error', message: 'refused (400)' } as const;
const ABSENT = { reaction: 'unavailable', type: 'html_response', message: 'no such page' } as const;

/** An exchange that fails as it is told, and counts. */
function server() {
  const state = { ruling: undefined as typeof OUTAGE | typeof REFUSAL | typeof ABSENT | undefined, asked: 0 };
  const exchange: Exchange = async function* ({ where }) {
    state.asked += 1;
    if (state.ruling !== undefined) throw new HttpFailure(state.ruling, where);
    yield [];
    return { value: null, found: true };
  };
  const clock = new VirtualClock(0);
  const guarded = withBreaker(exchange, ({ url }) => url, { failures: 3, pause: 60_000 }, clock);
  const ask = async (url = 'a') => {
    const request: HttpRequest = { url, where: {} };
    try {
      for await (const _ of guarded(request));
      return 'answered';
    } catch (thrown) {
      return thrown instanceof HttpFailure ? thrown.message : String(thrown);
    }
  };
  return { state, clock, ask };
}

test('after so many failures in a row nobody is asked; after the pause one request tries', async () => {
  const { state, clock, ask } = server();
  state.ruling = OUTAGE;
  for (let call = 0; call < 3; call += 1) expect(await ask()).toBe('the server failed (503)');
  expect(await ask()).toBe('not asked: the last 3 requests to a failed');
  expect(state.asked).toBe(3);
  clock.advance(60_000);
  expect(await ask()).toBe('the server failed (503)');
  expect(await ask()).toContain('not asked');
  clock.advance(60_000);
  state.ruling = undefined;
  expect(await ask()).toBe('answered');
  expect(await ask()).toBe('answered');
});

test('each group has a circuit of its own', async () => {
  const { state, ask } = server();
  state.ruling = OUTAGE;
  for (let call = 0; call < 3; call += 1) await ask('a');
  state.ruling = undefined;
  expect(await ask('a')).toContain('not asked');
  expect(await ask('b')).toBe('answered');
});

test.each([REFUSAL, ABSENT])('an answer is no outage, whatever it says: $message', async (ruling) => {
  const { state, ask } = server();
  state.ruling = ruling;
  for (let call = 0; call < 6; call += 1) expect(await ask()).toBe(ruling.message);
  state.ruling = OUTAGE;
  await ask();
  await ask();
  state.ruling = ruling;
  await ask();
  state.ruling = OUTAGE;
  // It had been well in between.
  expect(await ask()).toBe(OUTAGE.message);
  expect(await ask()).toBe(OUTAGE.message);
});
