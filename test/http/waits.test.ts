import { describe, expect, it } from 'vitest';
import { Pace } from '../../http/throttle.ts';
import { ConnectorError } from '../../singer/errors.ts';
import { ask, clientFor, inTurn, OK, RETRY, type Reply } from './replies.ts';
import { memoryRun } from './run.ts';
import { NOON, VirtualClock } from './virtual-clock.ts';

const FAILED: Reply = { status: 503 };
const throttled = (after?: string): Reply => ({
  status: 429,
  ...(after !== undefined && { headers: { 'retry-after': after } }),
});

async function waitsOf(
  replies: readonly Reply[],
  retry = {},
): Promise<{ waits: readonly number[]; ok: boolean; requests: number; http: ReturnType<typeof clientFor> }> {
  const run = memoryRun();
  const server = await inTurn(...replies);
  const http = clientFor(run, { retry });
  const ok = await ask(http, server.url).then(
    () => true,
    () => false,
  );
  return { waits: run.clock.sleeps, ok, requests: server.requests.length, http };
}

describe('the wait before another attempt', () => {
  it('doubles from the back-off: 1, 2, 4 seconds', async () => {
    expect(await waitsOf([FAILED, FAILED, FAILED, OK], { attempts: 4 })).toMatchObject({
      waits: [1_000, 2_000, 4_000],
      ok: true,
    });
  });

  it('is the longer one when throttled: 60, 120, 240 seconds', async () => {
    expect(await waitsOf([throttled(), throttled(), throttled(), OK], { attempts: 4 })).toMatchObject({
      waits: [60_000, 120_000, 240_000],
      ok: true,
    });
  });

  it.each([
    ['seconds', '17', 17_000],
    ['a date', new Date(NOON + 42_000).toUTCString(), 42_000],
    ['above the cap', '86400', 300_000],
    ['unreadable', 'later', 60_000],
  ])('follows Retry-After: %s', async (_name, value, wait) => {
    expect(await waitsOf([throttled(value), OK])).toMatchObject({ waits: [wait], ok: true });
  });

  it('is none for Retry-After: 0', async () => {
    expect(await waitsOf([throttled('0'), OK])).toMatchObject({ waits: [], ok: true });
  });

  it('follows Retry-After of a failing server too', async () => {
    expect(await waitsOf([{ ...FAILED, headers: { 'retry-after': '9' } }, OK])).toMatchObject({ waits: [9_000] });
  });

  it('is never longer than the cap', async () => {
    expect(await waitsOf([throttled(), throttled(), OK], { maxWait: 70_000 })).toMatchObject({
      waits: [60_000, 70_000],
    });
  });

  it('ends with the attempts, throttled ones included', async () => {
    const { waits, ok, requests, http } = await waitsOf([throttled()]);
    expect({ waits, ok, requests }).toEqual({ waits: [60_000, 120_000], ok: false, requests: 3 });
    expect(http.stats).toEqual({ requests: 3, retried: 1, recovered: 0, lost: 1 });
    expect(http.answered).toBe(false);
  });

  it('is none for what would not change', async () => {
    expect(await waitsOf([{ status: 400, body: '{}' }])).toMatchObject({ waits: [], ok: false, requests: 1 });
  });

  it('is counted: one request retried and recovered', async () => {
    const { http } = await waitsOf([FAILED, FAILED, OK]);
    expect(http.stats).toEqual({ requests: 3, retried: 1, recovered: 1, lost: 0 });
    expect(http.answered).toBe(true);
  });
});

describe('the pace', () => {
  const signal = new AbortController().signal;

  async function pace(delay: number) {
    const clock = new VirtualClock();
    const turns = new Pace(delay, clock);
    const request = async (was = false, takes = 0) => {
      await turns.turn(signal);
      clock.advance(takes);
      turns.ended(was);
    };
    return { clock, turns, request };
  }

  it('waits between requests, not before the first', async () => {
    const { clock, request } = await pace(250);
    for (let at = 0; at < 3; at += 1) await request();
    expect(clock.sleeps).toEqual([250, 250]);
  });

  it('counts from the end of the last request', async () => {
    const { clock, request } = await pace(250);
    await request(false, 5_000);
    await request();
    expect(clock.sleeps).toEqual([250]);
  });

  it('does not wait when enough time has passed', async () => {
    const { clock, request } = await pace(250);
    await request();
    clock.advance(251);
    await request();
    expect(clock.sleeps).toEqual([]);
  });

  it('has a floor of a second after the first throttle, doubles up to eight seconds', async () => {
    const { turns, request } = await pace(250);
    const seen = [];
    for (let at = 0; at < 6; at += 1) {
      await request(true);
      seen.push(turns.delay);
    }
    expect(seen).toEqual([1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
  });

  it('halves after 50 clean requests, never below the floor', async () => {
    const { turns, request } = await pace(250);
    for (let at = 0; at < 3; at += 1) await request(true);
    const seen = [];
    for (let at = 0; at < 200; at += 1) {
      await request();
      if (at % 50 === 48 || at % 50 === 49) seen.push(turns.delay);
    }
    expect(seen).toEqual([4_000, 2_000, 2_000, 1_000, 1_000, 1_000, 1_000, 1_000]);
  });

  it('starts counting clean requests again after a throttle', async () => {
    const { turns, request } = await pace(250);
    await request(true);
    await request(true);
    for (let at = 0; at < 49; at += 1) await request();
    await request(true);
    for (let at = 0; at < 49; at += 1) await request();
    expect(turns.delay).toBe(4_000);
  });

  it('keeps a slower pace than the ceiling that somebody asked for', async () => {
    const { turns, request } = await pace(20_000);
    await request(true);
    expect(turns.delay).toBe(20_000);
  });

  it('is one for all addresses, and each attempt waits its turn', async () => {
    const run = memoryRun();
    const server = await inTurn(FAILED, OK, OK);
    const http = clientFor(run, { pace: new Pace(400, run.clock), retry: { backoff: 100 } });
    await ask(http, `${server.url}/one`);
    await ask(http, `${server.url}/two`);
    // Back-off, then what is left of the gap; the gap before the second address.
    expect(run.clock.sleeps).toEqual([100, 300, 400]);
  });

  it('doubles for each kind of throttling, and not for a failing server', async () => {
    const run = memoryRun();
    const turns = new Pace(1_000, run.clock);
    const server = await inTurn({ body: '<html>wait</html>' }, {}, throttled(), FAILED, OK);
    await ask(clientFor(run, { pace: turns, retry: { attempts: 5 } }), server.url);
    expect(turns.delay).toBe(8_000);
  });
});

describe('refused credentials', () => {
  const auth = () => ({
    renewed: 0,
    headers: async () => ({ authorization: 'key' }),
    renew() {
      this.renewed += 1;
      return Promise.resolve();
    },
  });
  const refused: Reply = { status: 401, body: '{}' };

  it('three times in a row end the run, whatever the attempts', async () => {
    const server = await inTurn(refused);
    const http = clientFor(memoryRun(), { auth: auth(), retry: { ...RETRY, attempts: 10 } });
    const thrown = await ask(http, server.url).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(ConnectorError);
    expect(thrown).toMatchObject({
      name: 'ConnectorError',
      code: 'auth',
      message: expect.stringContaining('3 times in a row'),
    });
    expect(server.requests).toHaveLength(3);
  });

  it('are counted over all addresses', async () => {
    const server = await inTurn(refused);
    const http = clientFor(memoryRun(), { auth: auth(), retry: { attempts: 2 } });
    await expect(ask(http, `${server.url}/one`)).rejects.toMatchObject({ name: 'HttpFailure' });
    await expect(ask(http, `${server.url}/two`)).rejects.toMatchObject({ name: 'ConnectorError' });
  });

  it('followed by success do not end anything, however often', async () => {
    const server = await inTurn(refused, refused, OK, refused, refused, OK, refused, OK);
    const credentials = auth();
    const http = clientFor(memoryRun(), { auth: credentials });
    for (let at = 0; at < 3; at += 1) await ask(http, server.url);
    expect(credentials.renewed).toBe(5);
    expect(http.stats).toEqual({ requests: 8, retried: 3, recovered: 3, lost: 0 });
  });

  it('a sign-in page asks for new credentials once and is final the second time', async () => {
    const server = await inTurn({ body: '<html>sign in</html>' });
    const credentials = auth();
    await expect(
      ask(clientFor(memoryRun(), { auth: credentials, retry: { attempts: 5 } }), server.url),
    ).rejects.toMatchObject({ reaction: 'login' });
    expect(server.requests).toHaveLength(2);
    expect(credentials.renewed).toBe(1);
  });
});
