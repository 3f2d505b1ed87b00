/** Servers of one's own, read with a key: on premises, and for many customers. */
import { access } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { STREAMS } from '../../taps/pmp/streams.ts';
import type { Output } from '../contract/tap/outside.ts';
import { Extraction, idsIn, runsToTheEnd } from './extraction.ts';

const ALPHA = 'Customer Alpha';
const BETA = 'Customer Beta & Söhne';
const CUSTOMERS = '/api/1.4/desktop/customers';
const SYSTEMS = { streams: ['systems'], pages_per_run: 0 };

const statuses = (output: Output) =>
  Object.fromEntries(output.table('endpoint_runs').map(({ stream, status }) => [String(stream), status]));

/** Ended with 1 and one line that says why, without a row of data. */
function expectRefused(output: Output, text: RegExp): void {
  expect(output.code).toBe(1);
  const critical = output.logs.filter(({ level }) => level === 'CRITICAL');
  expect(critical).toHaveLength(1);
  expect(critical[0]?.message).toMatch(text);
  expect(output.records('systems')).toEqual([]);
}

/** All streams but the vendor's catalogue, in one run. */
const WHOLE = {
  streams: STREAMS.map(({ name }) => name).filter((name) => name !== 'supported_patches'),
  pages_per_run: 0,
};

function expectAll(extraction: Extraction, output: Output, customer?: string): void {
  expect(output.code, output.summary).toBe(0);
  for (const { name, key, versioned } of STREAMS) {
    if (!WHOLE.streams.includes(name)) continue;
    if (!versioned) expect(output.records(name)).toHaveLength(1);
    else {
      const ids = extraction.ids(name, customer);
      const columns = key.length === 2 ? ['resource_id', 'patch_id'] : key;
      expect([name, idsIn([output], name, ...columns)]).toEqual([name, [...ids].sort()]);
    }
  }
}

describe('a server on premises', () => {
  it('is read whole with the bare key, its short ids digit for digit', async () => {
    const extraction = await Extraction.start({ scenario: 'onprem' }, WHOLE);
    const output = await extraction.run();
    for (const id of extraction.ids('systems')) expect(id).toMatch(/^\d{3,5}$/);
    expectAll(extraction, output);
  });
});

describe('a server for many customers', () => {
  it.each([ALPHA, BETA])('is read whole for %s', async (customer_name) => {
    const extraction = await Extraction.start({ scenario: 'msp' }, { ...WHOLE, customer_name });
    extraction.tenant.configure({ seed_paths: 'shape' });
    expectAll(extraction, await extraction.run(), customer_name);
    const others = extraction.tenant.requests.filter(({ path }) => path !== CUSTOMERS);
    expect(new Set(others.map(({ query }) => query.customerid))).toEqual(
      new Set([extraction.tenant.customer(customer_name).id]),
    );
    expect(extraction.tenant.requests.filter(({ path }) => path === CUSTOMERS)).toHaveLength(1);
  });

  it('keeps the bookmarks of each customer apart', async () => {
    const extraction = await Extraction.start({ scenario: 'msp' }, { ...SYSTEMS, pages_per_run: 3 });
    await extraction.run({ customer_name: ALPHA });
    await extraction.run({ customer_name: BETA, pages_per_run: 2 });
    expect(await extraction.state()).toMatchObject({
      bookmarks: {
        systems: { customers: { [ALPHA]: { next_page: 4, distinct: 75 }, [BETA]: { next_page: 3, distinct: 50 } } },
      },
    });
  });

  it('reads two customers in turns with one state, and neither disturbs the other', async () => {
    const extraction = await Extraction.start({ scenario: 'msp' }, { ...SYSTEMS, pages_per_run: 3 });
    extraction.tenant.addFault({
      match: { path: '/scandetails$', pages: [2, 2], query: { customerid: extraction.tenant.customer(ALPHA).id } },
      times: 3,
      action: { type: 'burst503' },
    });
    const outputs: Record<string, Output[]> = { [ALPHA]: [], [BETA]: [] };
    for (let run = 0; run < 4; run += 1)
      for (const customer_name of [ALPHA, BETA]) outputs[customer_name]?.push(await extraction.run({ customer_name }));
    for (const customer_name of [ALPHA, BETA]) {
      expect(outputs[customer_name]?.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
      expect(idsIn(outputs[customer_name] ?? [])).toEqual([...extraction.ids('systems', customer_name)].sort());
    }
    expect(outputs[ALPHA]?.[0]?.events('gap_logged')).toHaveLength(1);
    expect(outputs[BETA]?.flatMap((output) => output.events('gap_logged'))).toEqual([]);
  });

  it('makes no request for a customer who is finished, whatever became of another', async () => {
    const extraction = await Extraction.start({ scenario: 'msp' }, SYSTEMS);
    await extraction.run({ customer_name: ALPHA });
    await extraction.run({ customer_name: BETA, pages_per_run: 2 });
    const requests = extraction.tenant.requests.length;
    const idle = await extraction.run({ customer_name: ALPHA });
    expect([idle.code, idle.stdout]).toEqual([0, '']);
    expect(idle.summary).toContain('nothing to do');
    expect(extraction.tenant.requests).toHaveLength(requests);
  });

  it('starts a fresh snapshot for one customer and then for the other', async () => {
    const extraction = await Extraction.start({ scenario: 'msp' }, { ...SYSTEMS, snapshot_max_age_hours: 24 });
    for (const customer_name of [ALPHA, BETA]) await extraction.run({ customer_name });
    extraction.clock.advance(25 * 3_600_000);
    for (const customer_name of [ALPHA, BETA]) {
      const output = await extraction.run({ customer_name });
      expect(idsIn([output])).toEqual([...extraction.ids('systems', customer_name)].sort());
    }
  });

  it('goes on with the open sweep of one customer after the other has begun a fresh snapshot', async () => {
    const extraction = await Extraction.start({ scenario: 'msp' }, { ...SYSTEMS, snapshot_max_age_hours: 24 });
    await extraction.run({ customer_name: ALPHA });
    const opened = await extraction.run({ customer_name: BETA, pages_per_run: 4 });
    extraction.clock.advance(25 * 3_600_000);
    const fresh = await extraction.run({ customer_name: ALPHA });
    expect(idsIn([fresh])).toHaveLength(168);
    const since = extraction.tenant.requests.length;
    const rest = await extraction.run({ customer_name: BETA, pages_per_run: 4 });
    const pages = extraction.tenant.requests.slice(since).flatMap(({ page }) => page ?? []);
    expect(pages).toEqual([4, 5, 6, 7]);
    expect(idsIn([opened, rest])).toEqual([...extraction.ids('systems', BETA)].sort());
    expect(rest.table('snapshots').map(({ snapshot_id }) => snapshot_id)).toEqual(
      opened.table('snapshots').map(({ snapshot_id }) => snapshot_id),
    );
  });

  it('--status tells of the customer who is named', async () => {
    const extraction = await Extraction.start({ scenario: 'msp' }, { ...SYSTEMS, pages_per_run: 3 });
    extraction.tenant.addFault({
      match: { path: '/scandetails$', pages: [1, 1], query: { customerid: extraction.tenant.customer(BETA).id } },
      action: { type: 'burst503' },
    });
    await extraction.run({ customer_name: ALPHA, pages_per_run: 0 });
    await extraction.run({ customer_name: BETA });
    const requests = extraction.tenant.requests.length;
    const status = async (customer_name: string) =>
      JSON.parse((await extraction.run({ customer_name }, ['--status'])).stdout);
    expect(await status(ALPHA)).toMatchObject({ status: 'complete', last_page: 7, target_met: true, gaps: [] });
    expect(await status(BETA)).toMatchObject({
      status: 'running',
      last_page: 3,
      systems_extracted: 50,
      target_met: false,
      gaps: [{ stream: 'systems', page: 1 }],
    });
    expect(await status('Customer Gamma')).toMatchObject({
      status: 'none',
      last_page: 0,
      systems_extracted: 0,
      gaps: [],
    });
    expect(extraction.tenant.requests).toHaveLength(requests);
  });

  it.each(['constructor', '__proto__'])('takes a customer by any name: %s', async (customer_name) => {
    const extraction = await Extraction.start({ scenario: 'msp' }, { ...SYSTEMS, pages_per_run: 4 });
    extraction.tenant.configure({ customers: ['Customer One', customer_name] });
    await extraction.run({ customer_name: 'Customer One' });
    const outputs = await runsToTheEnd(extraction, { customer_name });
    expect(outputs.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(idsIn(outputs)).toEqual([...extraction.ids('systems', customer_name)].sort());
  });

  it('finds a customer on a later page of the list', async () => {
    const extraction = await Extraction.start({ scenario: 'msp' }, { ...SYSTEMS, customer_name: 'Customer Gamma' });
    extraction.tenant.shrink('scandetails', 160, 'Customer Gamma');
    extraction.tenant.configure({ page_size_default: 1 });
    const output = await extraction.run();
    expect(output.code, output.summary).toBe(0);
    expect(idsIn([output])).toEqual([...extraction.ids('systems', 'Customer Gamma')].sort());
  });

  it('takes 17-digit ids of customers as they are', async () => {
    const extraction = await Extraction.start({ scenario: 'msp' }, { ...SYSTEMS, customer_name: BETA });
    extraction.tenant.configure({ id_mode: 'us' });
    const output = await extraction.run();
    expect(output.code).toBe(0);
    expect(idsIn([output])).toEqual([...extraction.ids('systems', BETA)].sort());
  });

  it('that lacks half of the endpoints is read as far as it goes', async () => {
    const extraction = await Extraction.start({ scenario: 'msp' }, { pages_per_run: 0 });
    extraction.tenant.configure({ msp_unsupported: true });
    const output = await extraction.run();
    expect(output.code).toBe(2);
    expect(statuses(output)).toMatchObject({
      systems: 'ok',
      patches: 'unavailable',
      missing_patches: 'unavailable',
      som_computers: 'unavailable',
      remote_offices: 'unavailable',
      som_summary: 'unavailable',
      deployment_policies: 'ok',
    });
    expect(output.table('snapshots')).toMatchObject([{ status: 'partial' }]);
  });
});

describe('the wrong customer', () => {
  it('is refused before anything is written, with the names that there are', async () => {
    const extraction = await Extraction.start({ scenario: 'msp' }, SYSTEMS);
    const output = await extraction.run({ customer_name: 'customer alpha' });
    expectRefused(output, /no customer "customer alpha".*"Customer Alpha", "Customer Beta & Söhne", "Customer Gamma"/);
    expect(output.stdout).toBe('');
    await expect(access(extraction.statePath)).rejects.toThrow();
    expect(extraction.tenant.requests).toHaveLength(1);
  });

  it('leaves a state as it was', async () => {
    const extraction = await Extraction.start({ scenario: 'msp' }, SYSTEMS);
    await extraction.run();
    const before = await extraction.state();
    expect((await extraction.run({ customer_name: 'Customer Delta' })).code).toBe(1);
    expect(await extraction.state()).toEqual(before);
  });

  it('none at all where there are several: the line says which setting it takes', async () => {
    const extraction = await Extraction.start({ scenario: 'msp' }, SYSTEMS);
    const output = await extraction.run({ customer_name: null });
    expectRefused(output, /MSP server.*set customer_name/);
    for (const { message } of output.events('endpoint_failed')) expect(message).toMatch(/set customer_name/);
    expect(extraction.apiRequests).toBeLessThanOrEqual(3);
  });

  it.each(['onprem', 'happy'])('any at all where there are none (%s)', async (scenario) => {
    const extraction = await Extraction.start({ scenario }, SYSTEMS);
    const output = await extraction.run({ customer_name: ALPHA });
    expectRefused(output, /no customers.*leave customer_name out/);
    expect(output.stdout).toBe('');
  });
});

describe('a refused key', () => {
  it.each([
    ['onprem', 401],
    ['msp', 401],
    ['msp', 200],
  ])('ends the run at once (%s, status %i)', async (scenario, token_refusal_status) => {
    const extraction = await Extraction.start({ scenario }, { pages_per_run: 0 });
    extraction.tenant.configure({ token_refusal_status });
    const output = await extraction.run({ api_token: 'not-the-key-of-this-server' });
    expectRefused(output, /refused the credentials.*check the key/);
    expect(extraction.tenant.requests.length).toBeLessThanOrEqual(2);
    expect(output.stderr).not.toContain('not-the-key-of-this-server');
    expect(output.states.length).toBeLessThanOrEqual(1);
  });

  it.each([
    ['onprem', 401],
    ['msp', 401],
    ['msp', 200],
  ])('for one module costs that stream and no other (%s, status %i)', async (scenario, token_refusal_status) => {
    const extraction = await Extraction.start({ scenario }, { pages_per_run: 0 });
    extraction.tenant.configure({ token_refusal_status });
    for (const path of ['/som/computers$', '/patch/summary$'])
      extraction.tenant.addFault({ match: { path }, action: { type: 'unauthorizedLoop' } });
    const output = await extraction.run();
    expect(output.code).toBe(2);
    const { som_computers, patch_summary, vulnerabilities, ...others } = statuses(output);
    expect([som_computers, patch_summary]).toEqual(['failed', 'failed']);
    expect(new Set(Object.values(others))).toEqual(new Set(['ok', 'skipped', 'unavailable']));
    expect(others).toMatchObject({ systems: 'ok', remote_offices: 'ok', deployment_policies: 'ok' });
    for (const path of ['/api/1.4/som/computers', '/api/1.4/patch/summary'])
      expect(extraction.tenant.requests.filter((request) => request.path === path)).toHaveLength(1);
  });

  it('never stands in a line', async () => {
    const extraction = await Extraction.start({ scenario: 'msp' }, { pages_per_run: 0 });
    extraction.tenant.addFault({ match: { pages: [2, 2] }, action: { type: 'error500' } });
    const output = await extraction.run({ max_attempts: 1 }, ['--log-level', 'DEBUG']);
    const key = extraction.tenant.apiToken ?? expect.fail('no key');
    expect(output.stderr + output.stdout).not.toContain(key);
  });
});
