/** The other lists of DCAPI: patches, and vulnerabilities where the product has the module for them. */
import { expect, it } from 'vitest';
import { startDcapi } from './dcapi-extraction.ts';
import { idsIn } from './extraction.ts';

const ALL = { pages_per_run: 0 };

it.each(['text', 'numbers'])('are read whole, their ids sent as %s', async (dcapi_ids) => {
  const extraction = await startDcapi({}, ALL);
  extraction.tenant.configure({ vuln: 'on', dcapi_ids, id_mode: 'us' });
  const output = await extraction.run();
  expect(output.code, output.summary).toBe(0);
  expect(idsIn([output], 'dcapi_patches', 'patch_id')).toEqual([...extraction.ids('dcapi_patches')].sort());
  expect(idsIn([output], 'dcapi_vulnerabilities', 'vulnerability_id')).toEqual(
    [...extraction.ids('dcapi_vulnerabilities')].sort(),
  );
  const pairs = extraction.ids('system_vulnerabilities');
  expect(pairs.length).toBeGreaterThan(0);
  expect(idsIn([output], 'system_vulnerabilities', 'resource_id', 'vulnerability_id')).toEqual([...pairs].sort());
  const book = output.table('endpoint_runs').find(({ stream }) => stream === 'system_vulnerabilities');
  expect(book).toMatchObject({ status: 'ok', rows: pairs.length, total: pairs.length });
  expect(output.events('schema_drift')).toEqual([]);
  expect(output.messages.filter(({ type }) => type === 'ACTIVATE_VERSION').map(({ stream }) => stream)).toEqual([
    'dcapi_systems',
    'patch_system_mapping',
    'dcapi_patches',
    'dcapi_vulnerabilities',
    'system_vulnerabilities',
  ]);
});

it.each(['10022', '404', 'html'])('are unavailable without the module, which is no failure (%s)', async (vuln) => {
  const extraction = await startDcapi({}, ALL);
  extraction.tenant.configure({ vuln });
  const output = await extraction.run();
  expect(output.code, output.summary).toBe(0);
  const status = Object.fromEntries(output.table('endpoint_runs').map(({ stream, status }) => [stream, status]));
  expect(status).toMatchObject({ dcapi_vulnerabilities: 'unavailable', system_vulnerabilities: 'unavailable' });
  expect(output.table('snapshots')).toMatchObject([{ status: 'complete' }]);
});

it('are unavailable where the credentials lack the right to them, and the run goes on', async () => {
  const extraction = await startDcapi({}, { ...ALL, streams: ['dcapi_systems', '*_vulnerabilities'] });
  extraction.tenant.configure({ vuln: 'on' });
  extraction.tenant.addFault({ match: { path: '/vulnerabilities$' }, action: { type: 'unauthorizedLoop' } });
  const output = await extraction.run();
  expect(output.code, output.summary).toBe(0);
  const status = Object.fromEntries(output.table('endpoint_runs').map(({ stream, status }) => [stream, status]));
  expect(status).toMatchObject({
    dcapi_systems: 'ok',
    dcapi_vulnerabilities: 'unavailable',
    system_vulnerabilities: 'unavailable',
  });
});

it('tell of fields that came or went, also in what is nested', async () => {
  const extraction = await startDcapi({}, { ...ALL, streams: ['dcapi_systems', 'patch_system_mapping'] });
  extraction.tenant.configure({
    drift: {
      dcapi_systems: { add: ['shoe_size'], drop: ['os_name'] },
      patch_system_mapping: { add: ['mood'], drop: ['severity'] },
    },
  });
  const output = await extraction.run();
  expect(output.events('schema_drift').map(({ stream, field, drift }) => [stream, field, drift].join(' '))).toEqual([
    'dcapi_systems shoe_size unknown',
    'patch_system_mapping mood unknown',
    'patch_system_mapping severity missing',
  ]);
});
