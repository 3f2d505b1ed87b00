/** Servers and credentials that do not work at all: exit 1, one clear line, and no storm of requests. */
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Output } from '../contract/tap/outside.ts';
import { Extraction, TOKEN } from './extraction.ts';

const SYSTEMS = { streams: ['systems'], pages_per_run: 0 };

/** An address on which nothing listens. */
async function deadAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no address');
  return `http://127.0.0.1:${address.port}`;
}

function expectOneLine(output: Output, text: RegExp): void {
  expect(output.code).toBe(1);
  const critical = output.logs.filter(({ level }) => level === 'CRITICAL');
  expect(critical).toHaveLength(1);
  expect(critical[0]?.message).toMatch(text);
  expect(critical[0]?.message).not.toContain('unexpected');
}

describe('no way to the server', () => {
  it('accounts host unreachable', async () => {
    const extraction = await Extraction.start({}, SYSTEMS);
    const output = await extraction.run({ accounts_url: await deadAddress() });
    expectOneLine(output, /cannot get an access token.*no connection to 127\.0\.0\.1.*check/);
    expect(output.records('systems')).toEqual([]);
  });

  it('server unreachable', async () => {
    const extraction = await Extraction.start({}, SYSTEMS);
    const output = await extraction.run({ base_url: await deadAddress() });
    expectOneLine(output, /no connection to 127\.0\.0\.1.*check the address and the network/);
    // 1 s and 2 s of back-off for one page, not for every page.
    expect(extraction.clock.sleeps.filter((ms) => ms >= 1_000)).toEqual([1_000, 2_000]);
  });

  it('a server that takes requests and never answers', async () => {
    const extraction = await Extraction.start({}, SYSTEMS);
    extraction.tenant.addFault({ action: { type: 'hang' } });
    const output = await extraction.run({ request_timeout_seconds: 0.4 });
    expectOneLine(output, /did not answer in time/);
    expect(extraction.apiRequests).toBe(3);
  });
});

describe('refused credentials', () => {
  it.each([
    ['client_id', { client_id: '1000.UNKNOWN' }, /invalid_client — client_id is unknown/],
    ['client_secret', { client_secret: 'wrong-secret-value' }, /invalid_client_secret/],
    [
      'refresh_token',
      { refresh_token: '1000.wrong-refresh' },
      /invalid_code — the refresh token is wrong or was revoked/,
    ],
  ])('%s', async (_name, settings, text) => {
    const extraction = await Extraction.start({}, SYSTEMS);
    const output = await extraction.run(settings);
    expectOneLine(output, text);
    expect(extraction.apiRequests).toBe(0);
    expect(extraction.tenant.requests.length).toBeLessThanOrEqual(1);
    for (const secret of Object.values(settings)) expect(output.stderr).not.toContain(secret);
  });

  it('a refresh token revoked in the middle of a run', async () => {
    const extraction = await Extraction.start({}, SYSTEMS);
    extraction.tenant.addFault({ match: { path: '/scandetails$', pages: [4, 4] }, action: { type: 'expireToken' } });
    extraction.tenant.addFault({ match: { path: TOKEN, nth: 2 }, action: { type: 'refreshDenied' } });
    const output = await extraction.run({ checkpoint_pages: 1 });
    expectOneLine(output, /invalid_code/);
    // What came before is safe.
    expect(output.states.at(-1)).toMatchObject({ bookmarks: { systems: { next_page: 4, distinct: 75 } } });
  });

  it.each([400, 200])('too many tokens (status %i): waits, then one line', async (status) => {
    const extraction = await Extraction.start({}, SYSTEMS);
    extraction.tenant.addFault({ action: { type: 'refreshLimit', status } });
    const output = await extraction.run();
    expectOneLine(output, /too many tokens/);
    expect(extraction.tokenRequests).toHaveLength(3);
    expect(extraction.clock.sleeps).toEqual([60_000, 120_000]);
  });

  it('the token of another data centre: 401 for ever', async () => {
    const extraction = await Extraction.start({}, SYSTEMS);
    extraction.tenant.addFault({ action: { type: 'unauthorizedLoop' } });
    const output = await extraction.run();
    expectOneLine(output, /refused the credentials 3 times in a row.*data centre/);
    expect(extraction.apiRequests).toBe(3);
    expect(extraction.tokenRequests).toHaveLength(3);
  });

  it('401 for ever in the middle of a run: the pages before are safe', async () => {
    const extraction = await Extraction.start({}, SYSTEMS);
    extraction.tenant.addFault({ match: { pages: [4, 9] }, action: { type: 'unauthorizedLoop' } });
    const output = await extraction.run({ checkpoint_pages: 1 });
    expectOneLine(output, /refused the credentials/);
    expect(output.states.at(-1)).toMatchObject({ bookmarks: { systems: { next_page: 4, gaps: [] } } });
    extraction.tenant.removeFaults();
    expect((await extraction.run()).code).toBe(0);
  });

  it('a token that dies once costs one refresh and no page', async () => {
    const extraction = await Extraction.start({}, SYSTEMS);
    extraction.tenant.addFault({
      match: { path: '/scandetails$', pages: [4, 4] },
      times: 1,
      action: { type: 'expireToken' },
    });
    const output = await extraction.run();
    expect(output.code).toBe(0);
    expect(output.table('systems')).toHaveLength(168);
    expect(output.events('token_refresh').map(({ reason }) => reason)).toEqual(['batch_start', '401']);
  });

  it('costs no more than a page even when each page has one attempt', async () => {
    const extraction = await Extraction.start({}, { ...SYSTEMS, max_attempts: 1 });
    extraction.tenant.addFault({
      match: { path: '/scandetails$', pages: [4, 4] },
      times: 1,
      action: { type: 'expireToken' },
    });
    const output = await extraction.run();
    expect(output.code).toBe(0);
    expect(output.table('systems')).toHaveLength(168);
    expect(output.events('gap_logged')).toMatchObject([{ page: 4, error_type: '401_unauthorized' }]);
    expect(output.events('gap_resolved')).toMatchObject([{ page: 4 }]);
  });

  it.each(['401', 'html'] as const)(
    'a scope missing for one module (%s): its streams fail, the others are read',
    async (how) => {
      const extraction = await Extraction.start({}, { pages_per_run: 0 });
      extraction.tenant.configure({ missing_scope: how });
      const output = await extraction.run();
      expect(output.code).toBe(2);
      const runs = output.table('endpoint_runs');
      const failed = runs.filter(({ status }) => status === 'failed').map(({ stream }) => stream);
      expect(failed.sort()).toEqual(['remote_offices', 'som_computers', 'som_summary']);
      expect(runs.filter(({ status }) => status === 'ok').length).toBeGreaterThan(10);
      expect(extraction.tokenRequests.length).toBeLessThanOrEqual(8);
    },
  );

  it('no token, secret or refresh token ever stands in a line', async () => {
    const extraction = await Extraction.start({ scenario: 'hostile' }, SYSTEMS);
    const output = await extraction.run({ request_timeout_seconds: 1 }, ['--log-level', 'DEBUG']);
    for (const token of [
      ...extraction.tenant.tokens.live(extraction.clock.now()),
      ...Object.values(extraction.tenant.credentials),
    ]) {
      expect(output.stderr).not.toContain(token);
      expect(output.stdout).not.toContain(token);
    }
  });
});
