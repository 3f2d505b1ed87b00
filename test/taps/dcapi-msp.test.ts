/** Servers of several customers: one by name, or all of them in one run. */
import { describe, expect, it } from 'vitest';
import type { Output } from '../contract/tap/outside.ts';
import { REPORT, startDcapi } from './dcapi-extraction.ts';
import { type Extraction, idsIn } from './extraction.ts';

const ALPHA = 'Customer Alpha';
const BETA = 'Customer Beta & Söhne';
const CUSTOMERS = '/api/1.4/desktop/customers';
const BOTH = ['dcapi_systems', 'patch_system_mapping'];
// The simulator's own settings name a customer.
const ALL = { streams: [...BOTH, 'dcapi_patches'], pages_per_run: 0, customer_name: null };

const names = ({ tenant }: Extraction) => tenant.customers.map(({ name }) => name);
const everywhere = (extraction: Extraction, stream: string) =>
  [...new Set(names(extraction).flatMap((name) => extraction.ids(stream, name)))].sort();
const versions = (output: Output) =>
  output.messages.filter(({ type }) => type === 'ACTIVATE_VERSION').map(({ stream }) => stream);

describe('a customer by name', () => {
  it.each([ALPHA, BETA])('is asked for by that name: %s', async (customer_name) => {
    const extraction = await startDcapi({ scenario: 'msp' }, { ...ALL, customer_name });
    const output = await extraction.run();
    expect(output.code, output.summary).toBe(0);
    for (const stream of BOTH) {
      const key = stream === 'dcapi_systems' ? ['resource_id'] : ['resource_id', 'patch_id'];
      expect(idsIn([output], stream, ...key)).toEqual([...extraction.ids(stream, customer_name)].sort());
    }
    const asked = extraction.tenant.requests.filter(({ path }) => path !== CUSTOMERS);
    expect(new Set(asked.map(({ query }) => query.customername))).toEqual(new Set([customer_name]));
    expect(asked.filter(({ query }) => 'customerid' in query)).toEqual([]);
  });
});

describe('all customers', () => {
  it('are read in turn when none is named, with bookmarks of their own and one snapshot', async () => {
    const extraction = await startDcapi({ scenario: 'msp' }, ALL);
    const output = await extraction.run();
    expect(output.code, output.summary).toBe(0);
    expect(idsIn([output], 'dcapi_systems')).toEqual(everywhere(extraction, 'dcapi_systems'));
    expect(idsIn([output], 'patch_system_mapping', 'resource_id', 'patch_id')).toEqual(
      everywhere(extraction, 'patch_system_mapping'),
    );
    const state = await extraction.state();
    expect(Object.keys((state.bookmarks as { dcapi_systems: { customers: object } }).dcapi_systems.customers)).toEqual(
      names(extraction),
    );
    const systems = names(extraction).reduce((sum, name) => sum + extraction.ids('dcapi_systems', name).length, 0);
    expect(output.table('dcapi_extraction_checkpoints')).toMatchObject([
      { systems_extracted: systems, total_systems: systems, coverage_pct: 100 },
    ]);
    expect(output.table('snapshots')).toMatchObject([{ status: 'complete' }]);
    expect(versions(output)).toEqual(ALL.streams);
    expect(extraction.tenant.requests.filter(({ path }) => path === CUSTOMERS)).toHaveLength(1);
  });

  it('that are all read need no request', async () => {
    const extraction = await startDcapi({ scenario: 'msp' }, ALL);
    await extraction.run();
    const requests = extraction.tenant.requests.length;
    const idle = await extraction.run();
    expect([idle.code, idle.stdout]).toEqual([0, '']);
    expect(extraction.tenant.requests).toHaveLength(requests);
  });

  it('are read on in batches, and versions wait for the last of them', async () => {
    const extraction = await startDcapi({ scenario: 'msp' }, { ...ALL, streams: BOTH, pages_per_run: 2 });
    const outputs: Output[] = [];
    for (let run = 0; run < 12; run += 1) {
      outputs.push(await extraction.run());
      if (outputs.at(-1)?.stdout === '') break;
    }
    expect(outputs.map(({ code }) => code)).toEqual(outputs.map(() => 0));
    expect(idsIn(outputs, 'dcapi_systems')).toEqual(everywhere(extraction, 'dcapi_systems'));
    const told = outputs.map(versions).filter((streams) => streams.length > 0);
    expect(told).toEqual([BOTH]);
    expect(versions(outputs.at(-2) as Output)).toEqual(BOTH);
  });

  it('of whom one has a gap: nobody is told to have lost rows, the gap names the customer', async () => {
    const extraction = await startDcapi({ scenario: 'msp' }, { ...ALL, streams: BOTH });
    extraction.tenant.addFault({
      match: { path: REPORT, pages: [1, 1], query: { customername: BETA } },
      times: 6,
      action: { type: 'error500' },
    });
    const output = await extraction.run();
    expect(versions(output)).toEqual([]);
    expect(output.table('dcapi_extraction_gaps')).toMatchObject([{ stream: `dcapi_systems (${BETA})`, page_num: 1 }]);
    const status = JSON.parse((await extraction.run({}, ['--status'])).stdout);
    expect(status.gaps).toMatchObject([{ stream: 'dcapi_systems', page: 1 }]);
    const second = await extraction.run();
    expect(second.code, second.summary).toBe(0);
    expect(versions(second)).toEqual(BOTH);
    expect(idsIn([output, second], 'dcapi_systems')).toEqual(everywhere(extraction, 'dcapi_systems'));
  });

  it('of whom one is refused: the others are read, and the run ends with 2', async () => {
    const extraction = await startDcapi({ scenario: 'msp' }, { ...ALL, streams: BOTH });
    extraction.tenant.addFault({
      match: { path: REPORT, query: { customername: ALPHA } },
      action: { type: 'errorEnvelope', code: '1004', description: 'Invalid Customer' },
    });
    const output = await extraction.run();
    expect(output.code).toBe(2);
    const others = names(extraction).filter((name) => name !== ALPHA);
    const wanted = [...new Set(others.flatMap((name) => extraction.ids('dcapi_systems', name)))].sort();
    expect(idsIn([output], 'dcapi_systems')).toEqual(wanted);
    expect(versions(output)).toEqual([]);
  });
});

describe('a server without customers', () => {
  it('is read as it is, and asked for customers once a snapshot', async () => {
    const extraction = await startDcapi({ scenario: 'onprem' }, { streams: BOTH, pages_per_run: 3 });
    for (let run = 0; run < 3; run += 1) expect((await extraction.run()).code).toBe(0);
    expect(extraction.tenant.requests.filter(({ path }) => path === CUSTOMERS)).toHaveLength(1);
    expect(await extraction.state()).toMatchObject({ bookmarks: { dcapi_systems: { distinct: 166 } } });
  });

  it('in the cloud is never asked', async () => {
    const extraction = await startDcapi({}, { streams: BOTH, pages_per_run: 1 });
    expect((await extraction.run()).code).toBe(0);
    expect(extraction.tenant.requests.filter(({ path }) => path === CUSTOMERS)).toEqual([]);
  });
});
