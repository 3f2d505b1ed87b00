import { expect, test } from 'vitest';
import { SCENARIO_NAMES } from '../../simulators/manageengine/scenarios.ts';
import { type ManageEngine, startManageEngine } from '../../simulators/manageengine/server.ts';
import { ALL_SYSTEMS, get, getPage, idsOf, login, readPage, SCAN, simulator, sweep } from './manageengine-client.ts';

test('the scenarios that ship', () => {
  expect(SCENARIO_NAMES).toEqual([
    'happy',
    's0-resilient',
    'hostile',
    'precision',
    'two-runs-shrink',
    'outage',
    'token-60s',
    'onprem',
    'msp',
    'no-vuln-module',
    'seed-paths',
    's1-dcapi-30',
    's1-dcapi-5',
    'zero-patches',
  ]);
});

test.each([
  ['scenario', { scenario: 'sunny' }, `unknown scenario "sunny"; known scenarios: ${SCENARIO_NAMES.join(', ')}`],
  ['profile', { profile: 'huge' }, 'unknown profile "huge"; known profiles: small, full'],
])('an unknown %s is refused with the known names', async (_name, options, message) => {
  await expect(startManageEngine(options)).rejects.toThrow(message);
});

test('happy: nothing ever fails', async () => {
  const server = await simulator();
  await sweep(server, await login(server), SCAN);
  expect(server.tenant().faults).toEqual([]);
  expect(server.tenant().requests.every(({ status, finished }) => status === 200 && finished)).toBe(true);
});

/** Asks each page up to `tries` times; the pages that never came. Broken connections count as failures. */
async function unreadable(
  server: ManageEngine,
  pages: number,
  tries: number,
): Promise<{ gaps: number[]; token: string; failures: number }> {
  let token = await login(server);
  const gaps: number[] = [];
  let failures = 0;
  for (let page = 1; page <= pages; page += 1) {
    let done = false;
    for (let attempt = 1; attempt <= tries && !done; attempt += 1) {
      try {
        const headers = { authorization: `Zoho-oauthtoken ${token}` };
        const response = await fetch(`${server.url}${SCAN}?page=${page}&pagelimit=25`, { headers });
        const text = await response.text();
        if (response.status === 401) token = await login(server);
        done =
          response.status === 200 && text.startsWith('{') && text.endsWith('}') && text.includes('"response_code":200');
      } catch {
        done = false;
      }
      if (!done) failures += 1;
    }
    if (!done) gaps.push(page);
  }
  return { gaps, token, failures };
}

test('s0-resilient: 17 pages stay unreadable for half an hour, others only for moments', async () => {
  const server = await simulator({ profile: 'full', scenario: 's0-resilient' });
  expect(server.tenant().settings.expires_in).toBe(60);
  const first = await unreadable(server, 135, 3);
  expect(first.gaps).toEqual([4, 12, 20, 28, 36, 44, 52, 60, 68, 76, 84, 92, 100, 108, 116, 124, 132]);
  expect(first.failures).toBeGreaterThan(17 * 3);
  const again = await unreadable(server, 135, 3);
  expect(again.gaps).toEqual(first.gaps);
  server.tenant().advance(30 * 60_000);
  expect((await unreadable(server, 135, 3)).gaps).toEqual([]);
});

test('s0-resilient: one such page in profile small', async () => {
  const server = await simulator({ scenario: 's0-resilient' });
  expect((await unreadable(server, 7, 3)).gaps).toEqual([4]);
});

test('hostile: many kinds of failure, none that three attempts do not survive', async () => {
  const server = await simulator({ profile: 'full', scenario: 'hostile' });
  server.tenant().configure({ token_limit: false });
  expect(server.tenant().faults.map(({ id }) => id)).toEqual(expect.arrayContaining(['hang', 'slow']));
  // These two cost real time, which this test does not spend; the fault tests cover them.
  server.tenant().removeFaults('slow');
  server.tenant().removeFaults('hang');
  const { gaps, failures } = await unreadable(server, 135, 3);
  expect(gaps).toEqual([]);
  expect(failures).toBeGreaterThan(15);
  const fired = server.tenant().faults.filter((rule) => rule.fired > 0);
  expect(fired.length).toBeGreaterThan(7);
  expect(fired.map(({ id }) => id)).toEqual(expect.arrayContaining(['duplicates', 'moves']));
});

test('precision: ids of one group are one double', async () => {
  const server = await simulator({ scenario: 'precision' });
  const { ids } = await getPage(server, await login(server), SCAN, 1);
  expect(ids[0]).toHaveLength(17);
  expect(new Set(ids.slice(0, 4)).size).toBe(4);
  expect(new Set(ids.slice(0, 4).map(Number)).size).toBe(1);
});

test.each([
  ['full', 135, 50, 40, 20],
  ['small', 7, 3, 2, 1],
])('two-runs-shrink in profile %s', async (profile, pages, batch, first, second) => {
  const server = await simulator({ profile, scenario: 'two-runs-shrink' });
  const token = await login(server);
  const total = (await getPage(server, token, SCAN, 1)).total;
  const totals: number[] = [];
  for (let page = 1; page <= Math.min(2 * batch + 1, pages); page += 1)
    totals.push((await getPage(server, token, SCAN, page)).total);
  expect(totals.slice(0, batch)).toEqual(Array(batch).fill(total));
  expect(totals.slice(batch, 2 * batch)).toEqual(Array(batch).fill(total - first));
  expect(totals[2 * batch]).toBe(total - first - second);
  await sweep(server, token, SCAN);
  const manifest = server.tenant().manifest({ ids: true }).streams.systems;
  expect([manifest?.rows, manifest?.removed?.length]).toEqual([total - first - second, first + second]);
  expect(idsOf(await sweep(server, token, SCAN))).toEqual(manifest?.ids);
});

test.each([
  ['full', 50],
  ['small', 3],
])('outage in profile %s', async (profile, batch) => {
  const server = await simulator({ profile, scenario: 'outage' });
  const token = await login(server);
  const status = async (page: number, path = SCAN) => (await get(server, token, `${path}?page=${page}`)).status;
  expect([await status(1), await status(batch)]).toEqual([200, 200]);
  expect([await status(batch + 1), await status(1), await status(1, ALL_SYSTEMS)]).toEqual([503, 503, 503]);
  server.tenant().advance(599_999);
  expect(await status(batch + 1)).toBe(503);
  server.tenant().advance(1);
  expect([await status(batch + 1), await status(1, ALL_SYSTEMS)]).toEqual([200, 200]);
});

test('the same scenario and seed go wrong in the same way', async () => {
  const story = async () => {
    const server = await simulator({ profile: 'full', scenario: 's0-resilient' });
    const token = await login(server);
    for (let page = 1; page <= 135; page += 1) await get(server, token, `${SCAN}?page=${page}`);
    const read = readPage(await get(server, token, `${SCAN}?page=135`));
    return [server.tenant().requests.map(({ page, status, fault }) => [page, status, fault]), read.ids];
  };
  expect(await story()).toEqual(await story());
});
