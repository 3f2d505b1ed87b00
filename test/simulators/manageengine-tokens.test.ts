import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { call, get, login, SCAN, START, sim, simulator, tokenRequest } from './manageengine-client.ts';

interface Refusal {
  readonly status: number;
  readonly body: unknown;
}

const FIXTURES = new URL('../fixtures/manageengine/', import.meta.url);
const REFUSALS = JSON.parse(readFileSync(new URL('refusals.json', FIXTURES), 'utf8')) as Record<string, Refusal>;
const TOKEN = JSON.parse(readFileSync(new URL('token.json', FIXTURES), 'utf8')) as Record<string, unknown>;

test('a token looks like the documented one, by query and by form', async () => {
  const server = await simulator();
  const byQuery = await tokenRequest(server);
  const body = new URLSearchParams({ grant_type: 'refresh_token', ...server.tenant().credentials });
  const byForm = await call(`${server.url}/oauth/v2/token`, { method: 'POST', body });
  for (const reply of [byQuery, byForm]) {
    expect(reply.status).toBe(200);
    expect(Object.keys(reply.json())).toEqual(Object.keys(TOKEN));
    expect(reply.json().access_token).toMatch(/^1000\..{65}$/);
    expect(reply.json().expires_in).toBe(3_600);
  }
});

test.each([
  ['invalid_client', { client_id: 'nobody' }],
  ['invalid_client_secret', { client_secret: 'wrong' }],
  ['invalid_code', { refresh_token: 'wrong' }],
])('refuses with status 200: %s', async (name, change) => {
  const reply = await tokenRequest(await simulator(), change);
  expect({ status: reply.status, body: reply.json() }).toEqual(REFUSALS[name]);
});

test('a wrong grant type gets no token', async () => {
  const reply = await tokenRequest(await simulator(), { grant_type: 'password' });
  expect(reply.json()).toEqual({ error: 'unsupported_grant_type' });
});

test('the code of the authorisation page brings a refresh token, once', async () => {
  const server = await simulator();
  const { tenants } = (await sim(server, 'tenants')).json() as { tenants: { grant_code: string }[] };
  const change = { grant_type: 'authorization_code', refresh_token: '', code: tenants[0]?.grant_code ?? '' };
  const wrong = await tokenRequest(server, { ...change, code: '1000.wrong' });
  expect(wrong.json()).toEqual({ error: 'invalid_code' });
  const reply = (await tokenRequest(server, change)).json();
  expect(Object.keys(reply).sort()).toEqual([...Object.keys(TOKEN), 'refresh_token'].sort());
  expect((await get(server, String(reply.access_token), SCAN)).status).toBe(200);
  expect((await tokenRequest(server, { refresh_token: String(reply.refresh_token) })).status).toBe(200);
  expect((await tokenRequest(server, change)).json()).toEqual({ error: 'invalid_code' });
  expect(JSON.stringify(server.tenant().requests)).not.toContain(change.code);
  server.tenant().reset();
  expect((await tokenRequest(server, change)).json()).toHaveProperty('access_token');
});

test('all tokens die when told to', async () => {
  const server = await simulator();
  const tokens = [await login(server), await login(server)];
  expect((await sim(server, 'expire', 'POST')).json()).toEqual({ expired: 2 });
  for (const token of tokens) expect((await get(server, token, SCAN)).status).toBe(401);
  expect((await get(server, await login(server), SCAN)).status).toBe(200);
});

test('the eleventh token within ten minutes is refused, until the window is over', async () => {
  let now = START;
  const server = await simulator({ now: () => now });
  for (let issued = 0; issued < 10; issued += 1) expect((await tokenRequest(server)).status).toBe(200);
  now += 599_999;
  const refused = await tokenRequest(server);
  expect({ status: refused.status, body: refused.json() }).toEqual(REFUSALS.access_denied);
  now += 1;
  expect((await tokenRequest(server)).json().access_token).toBeDefined();
  expect(server.tenant().tokens.counts).toEqual({ issued: 11, refused: 1 });
});

test('without the limit the thirty-first living token kills the oldest', async () => {
  const server = await simulator();
  server.tenant().configure({ token_limit: false });
  const tokens: string[] = [];
  for (let issued = 0; issued < 30; issued += 1) tokens.push(await login(server));
  const status = async (at: number) => (await get(server, tokens.at(at) ?? '', SCAN)).status;
  expect(await status(0)).toBe(200);
  tokens.push(await login(server));
  expect([await status(0), await status(1), await status(-1)]).toEqual([401, 200, 200]);
});

test('a token dies when its time is over', async () => {
  let now = START;
  const server = await simulator({ now: () => now, scenario: 'token-60s' });
  const reply = await tokenRequest(server);
  expect(reply.json().expires_in).toBe(60);
  const token = String(reply.json().access_token);
  now += 59_999;
  expect((await get(server, token, SCAN)).status).toBe(200);
  now += 1;
  const dead = await get(server, token, SCAN);
  expect({ status: dead.status, body: dead.json() }).toEqual(REFUSALS.invalid_token);
});

test('only the documented prefix is taken, Bearer when allowed', async () => {
  const server = await simulator();
  const token = await login(server);
  const status = async (authorization?: string) =>
    (await call(`${server.url}${SCAN}`, authorization === undefined ? {} : { headers: { authorization } })).status;
  expect(await status()).toBe(401);
  expect(await status('Zoho-oauthtoken 1000.unknown')).toBe(401);
  expect(await status(token)).toBe(401);
  expect(await status(`Bearer ${token}`)).toBe(401);
  server.tenant().configure({ accept_bearer: true });
  expect(await status(`Bearer ${token}`)).toBe(200);
});

test('the log keeps no secret', async () => {
  const server = await simulator();
  await login(server);
  const logged = JSON.stringify(server.tenant().requests);
  expect(logged).toContain('"grant_type":"refresh_token"');
  expect(logged).not.toContain(server.tenant().credentials.client_secret);
  expect(logged).not.toContain(server.tenant().credentials.refresh_token);
});
