import { describe, expect, it } from 'vitest';
import { judgeToken, TokenBudget, ZohoAuth } from '../../http/oauth.ts';
import { ConnectorError } from '../../singer/errors.ts';
import { clientFor, type Replies, type Reply, serve } from './replies.ts';
import { type MemoryRun, memoryRun } from './run.ts';

const SECRETS = { clientId: '1000.CLIENT', clientSecret: 'secret-of-client', refreshToken: '1000.refresh-token' };

interface Office {
  readonly run: MemoryRun;
  readonly auth: ZohoAuth;
  readonly server: Replies;
  readonly bodies: string[];
}

const grant = (number: number, fields: object = { expires_in: 3_600 }): Reply => ({
  body: JSON.stringify({
    access_token: `1000.token-${number}`,
    token_type: 'Bearer',
    api_domain: 'https://elsewhere.invalid',
    ...fields,
  }),
});

async function office(
  handle: (number: number) => Reply = grant,
  { maxWait = 300_000, refreshAt = 0.8 } = {},
): Promise<Office> {
  const run = memoryRun();
  const bodies: string[] = [];
  const server = await serve((number, request) => {
    request.setEncoding('utf8').on('data', (text: string) => bodies.push(text));
    return handle(number);
  });
  const http = clientFor(run, { judge: judgeToken, pace: new TokenBudget(maxWait, run), retry: { maxWait } });
  return {
    run,
    server,
    bodies,
    auth: new ZohoAuth({ accountsUrl: server.url, refreshAt, ...SECRETS }, http.exchange, run),
  };
}

const tokenOf = async (auth: ZohoAuth) => (await auth.headers()).authorization;

describe('an access token', () => {
  it('is asked for with the refresh grant and sent with the documented prefix', async () => {
    const { auth, bodies, server } = await office();
    expect(await tokenOf(auth)).toBe('Zoho-oauthtoken 1000.token-1');
    expect(server.requests[0]).toMatchObject({ method: 'POST', url: '/oauth/v2/token' });
    expect(Object.fromEntries(new URLSearchParams(bodies.join('')))).toEqual({
      grant_type: 'refresh_token',
      client_id: SECRETS.clientId,
      client_secret: SECRETS.clientSecret,
      refresh_token: SECRETS.refreshToken,
    });
  });

  it.each([
    ['80 % of 3,600 s', { expires_in: 3_600 }, 2_880],
    ['text', { expires_in: '3600' }, 2_880],
    ['60 s when the server does not say', {}, 48],
    ['60 s when it says nonsense', { expires_in: 'soon' }, 48],
    ['60 s when it says zero', { expires_in: 0 }, 48],
    ['expires_in_sec wins over milliseconds', { expires_in: 3_600_000, expires_in_sec: 3_600 }, 2_880],
  ])('is replaced in time: %s', async (_name, fields, seconds) => {
    const { auth, run } = await office((number) => grant(number, fields));
    await auth.headers();
    run.clock.advance(seconds * 1_000 - 1);
    expect(await tokenOf(auth)).toBe('Zoho-oauthtoken 1000.token-1');
    run.clock.advance(1);
    expect(await tokenOf(auth)).toBe('Zoho-oauthtoken 1000.token-2');
  });

  it('is replaced at the share of its life that the settings name', async () => {
    const { auth, run } = await office(grant, { refreshAt: 0.5 });
    await auth.headers();
    run.clock.advance(1_800_000);
    expect(await tokenOf(auth)).toBe('Zoho-oauthtoken 1000.token-2');
  });

  it('is asked for once by concurrent askers', async () => {
    const { auth, server } = await office();
    const tokens = await Promise.all(Array.from({ length: 5 }, () => tokenOf(auth)));
    expect(new Set(tokens)).toEqual(new Set(['Zoho-oauthtoken 1000.token-1']));
    await Promise.all([auth.renew(), auth.renew(), auth.headers()]);
    expect(server.requests).toHaveLength(2);
  });
});

describe('every refresh is told', () => {
  it('with reason, success and age of the old token', async () => {
    const { auth, run } = await office();
    await auth.headers();
    run.clock.advance(3_000_000);
    await auth.headers();
    run.clock.advance(5_400);
    await auth.renew();
    expect(run.events('token_refresh').map(({ fields }) => fields)).toMatchObject([
      { reason: 'batch_start', success: true, token_age_seconds: null, expires_in_seconds: 3_600 },
      { reason: 'proactive', success: true, token_age_seconds: 3_000 },
      { reason: '401', success: true, token_age_seconds: 5 },
    ]);
  });

  it('when it failed too', async () => {
    const { auth, run } = await office(() => ({ body: '{"error":"invalid_code"}' }));
    await expect(auth.headers()).rejects.toThrow();
    expect(run.events('token_refresh').map(({ fields }) => fields)).toEqual([
      { reason: 'batch_start', success: false, token_age_seconds: null },
    ]);
  });

  it('and no line holds a token or a secret, also when the server echoes them', async () => {
    const { auth, run } = await office((number) =>
      number === 1 ? grant(1) : { status: 503, body: `{"token":"1000.token-1"}` },
    );
    await auth.headers();
    await expect(auth.renew()).rejects.toThrow();
    expect(run.hidden).toContain('1000.token-1');
    const told = JSON.stringify(run.lines.filter(({ event }) => event === 'token_refresh'));
    for (const secret of ['1000.token-1', ...Object.values(SECRETS)]) expect(told).not.toContain(secret);
  });
});

describe('a refused refresh', () => {
  it.each([
    ['invalid_code', 'the refresh token is wrong or was revoked'],
    ['invalid_client', 'check client_id and the data centre'],
    ['invalid_client_secret', 'client_secret does not belong'],
    ['invalid_redirect_uri', 'redirect address'],
    ['INVALID_OAUTHSCOPE', 'lacks a scope'],
  ])('%s is final at once, with 200, 400 and 401', async (error, hint) => {
    for (const status of [200, 400, 401]) {
      const { auth, server, run } = await office(() => ({ status, body: JSON.stringify({ error }) }));
      const thrown = await auth.headers().catch((caught: unknown) => caught);
      expect(thrown).toBeInstanceOf(ConnectorError);
      expect(thrown).toMatchObject({
        name: 'ConnectorError',
        code: 'auth',
        message: expect.stringContaining(error),
        hint: expect.stringContaining(hint),
      });
      expect(server.requests).toHaveLength(1);
      expect(run.clock.sleeps).toEqual([]);
    }
  });

  it.each([
    ['an unknown error', { body: '{"error":"general_error"}' }, 'auth', /general_error/],
    ['no access_token', { body: '{"status":"ok"}' }, 'auth', /no access_token/],
    ['an empty access_token', { body: '{"access_token":""}' }, 'auth', /no access_token/],
    ['a failing server', { status: 503 }, 'auth', /503/],
    ['a page', { body: '<html>wait</html>' }, 'auth', /HTML page/],
  ] as const)('%s is tried three times, then one clear error', async (_name, reply, code, text) => {
    const { auth, server } = await office(() => reply);
    const thrown = await auth.headers().catch((caught: unknown) => caught);
    expect(thrown).toMatchObject({ name: 'ConnectorError', code, message: expect.stringMatching(text) });
    expect(server.requests).toHaveLength(3);
  });

  it('that heals is forgotten', async () => {
    const { auth } = await office((number) => (number < 3 ? { status: 500 } : grant(number)));
    expect(await tokenOf(auth)).toBe('Zoho-oauthtoken 1000.token-3');
  });

  it('does not poison the next attempt', async () => {
    const { auth } = await office((number) => (number === 1 ? { body: '{"error":"invalid_code"}' } : grant(number)));
    await expect(auth.headers()).rejects.toThrow();
    expect(await tokenOf(auth)).toBe('Zoho-oauthtoken 1000.token-2');
  });
});

describe('the token budget', () => {
  const mostIn = (times: readonly number[]) =>
    Math.max(...times.map((time) => times.filter((other) => other >= time && other < time + 600_000).length));

  it('never lets more than eight requests out in ten minutes, repeated ones included', async () => {
    const times: number[] = [];
    const given = await office((number) => {
      times.push(given.run.clock.now());
      return number % 3 === 0 ? grant(number, { expires_in: 30 }) : { status: 503 };
    });
    for (let at = 0; at < 60; at += 1) {
      await given.auth.headers().catch(() => undefined);
      given.run.clock.advance(25_000);
    }
    expect(times.length).toBeGreaterThan(16);
    expect(mostIn(times)).toBe(8);
    expect(given.run.events('token_budget').length).toBeGreaterThan(0);
  });

  it('waits when the next token is near enough', async () => {
    const { auth, run, server } = await office();
    for (let at = 0; at < 8; at += 1) {
      await auth.renew();
      run.clock.advance(60_000);
    }
    await auth.renew();
    expect(run.clock.sleeps).toEqual([120_000]);
    expect(server.requests).toHaveLength(9);
  });

  it('gives up with one clear error when it is further away than max_wait_ms', async () => {
    const { auth, run, server } = await office(grant, { maxWait: 100_000 });
    for (let at = 0; at < 8; at += 1) await auth.renew();
    run.clock.advance(400_000);
    await expect(auth.renew()).rejects.toMatchObject({
      name: 'ConnectorError',
      code: 'auth',
      message: expect.stringMatching(/8 tokens.*next is 200 s away/),
      hint: expect.stringContaining('safe'),
    });
    expect(server.requests).toHaveLength(8);
    run.clock.advance(101_000);
    await auth.renew();
    expect(run.clock.sleeps).toEqual([99_000]);
  });
});
