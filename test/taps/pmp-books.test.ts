/** The bookkeeping streams, with the columns and values that monitoring queries rely on. */
import { expect, it } from 'vitest';
import { type Output, object } from '../contract/tap/outside.ts';
import { Extraction } from './extraction.ts';

const SETTINGS = { streams: ['systems', 'patch_summary'], pages_per_run: 0 };
const AT = expect.stringMatching(/^2026-01-15T12:\d\d:\d\d(\.\d+)?Z$/);

const columns = (output: Output, stream: string) => {
  const schema = object(output.messages.find((message) => message.type === 'SCHEMA' && message.stream === stream));
  return { keys: schema.key_properties, names: Object.keys(object(object(schema.schema).properties)) };
};

it('have the columns and keys of the contract', async () => {
  const extraction = await Extraction.start({}, SETTINGS);
  const output = await extraction.run();
  expect(columns(output, 'extraction_checkpoints')).toEqual({
    keys: ['snapshot_id', 'stream'],
    names: [
      'snapshot_id',
      'stream',
      'last_page',
      'total_pages',
      'systems_extracted',
      'patches_extracted',
      'total_systems',
      'coverage_pct',
      'created_at',
      'updated_at',
    ],
  });
  expect(columns(output, 'extraction_gaps')).toEqual({
    keys: ['snapshot_id', 'stream', 'page_num'],
    names: [
      'snapshot_id',
      'stream',
      'page_num',
      'error_type',
      'error_message',
      'response_sample',
      'attempts',
      'created_at',
      'resolved_at',
    ],
  });
  expect(columns(output, 'endpoint_runs').keys).toEqual(['snapshot_id', 'stream']);
  expect(columns(output, 'snapshots').keys).toEqual(['snapshot_id', 'tap']);
});

it('tell of a whole run', async () => {
  const extraction = await Extraction.start({}, SETTINGS);
  const output = await extraction.run();
  const snapshot_id = 1_768_478_400;
  expect(output.table('extraction_checkpoints')).toEqual([
    {
      snapshot_id,
      stream: 'systems',
      last_page: 7,
      total_pages: 7,
      systems_extracted: 168,
      patches_extracted: 0,
      total_systems: 168,
      coverage_pct: 100,
      created_at: AT,
      updated_at: AT,
    },
  ]);
  expect(output.table('snapshots')).toEqual([
    {
      snapshot_id,
      tap: 'tap-pmp',
      status: 'complete',
      started_at: '2026-01-15T12:00:00Z',
      ended_at: AT,
      coverage_pct: 100,
      coverage_target_pct: 95,
      updated_at: AT,
    },
  ]);
  const runs = Object.fromEntries(output.table('endpoint_runs').map((row) => [row.stream, row]));
  expect(runs.systems).toEqual({
    snapshot_id,
    stream: 'systems',
    path: '/api/1.4/patch/scandetails',
    status: 'ok',
    rows: 168,
    total: 168,
    pages: 7,
    gaps: 0,
    started_at: AT,
    ended_at: AT,
    error: null,
  });
  expect(runs.patch_summary).toEqual({
    snapshot_id,
    stream: 'patch_summary',
    path: '/api/1.4/patch/summary',
    status: 'ok',
    rows: 1,
    total: 1,
    pages: 1,
    gaps: 0,
    started_at: AT,
    ended_at: AT,
    error: null,
  });
  expect(runs.patches).toMatchObject({ status: 'skipped', rows: null, started_at: null, error: null });
  expect(Object.keys(runs)).toHaveLength(20);
});

it('keep the first checkpoint time over several runs', async () => {
  const extraction = await Extraction.start({}, { ...SETTINGS, pages_per_run: 3, streams: ['systems'] });
  const first = (await extraction.run()).table('extraction_checkpoints')[0];
  extraction.clock.advance(6 * 3_600_000);
  const second = (await extraction.run()).table('extraction_checkpoints')[0];
  expect(second?.created_at).toBe(first?.created_at);
  expect(String(second?.updated_at) > String(first?.updated_at)).toBe(true);
});

it.each([
  ['burst503', '5xx_server_error'],
  ['error500', '5xx_server_error'],
  ['truncatedJson', 'json_parse_error'],
  ['emptyBody', 'empty_response'],
  ['htmlThrottle', 'html_response'],
  ['rate429', '429_rate_limit'],
  ['errorEnvelope', 'contract_error'],
  ['reset', 'network_error'],
  ['hang', 'network_timeout'],
] as const)('name the cause of a gap: %s is %s', async (type, error_type) => {
  const extraction = await Extraction.start(
    {},
    { ...SETTINGS, streams: ['systems'], request_timeout_seconds: type === 'hang' ? 0.4 : 30 },
  );
  extraction.tenant.addFault({ match: { path: '/scandetails$', pages: [4, 4] }, action: { type } });
  const output = await extraction.run();
  expect(output.table('extraction_gaps')).toEqual([
    {
      snapshot_id: 1_768_478_400,
      stream: 'systems',
      page_num: 4,
      error_type,
      error_message: expect.any(String),
      response_sample: ['reset', 'hang'].includes(type) ? null : expect.any(String),
      attempts: 2,
      created_at: AT,
      resolved_at: null,
    },
  ]);
  expect(String(output.table('extraction_gaps')[0]?.response_sample ?? '').length).toBeLessThanOrEqual(1024);
  extraction.tenant.removeFaults();
  const healed = await extraction.run();
  expect(healed.table('extraction_gaps')).toMatchObject([{ page_num: 4, error_type, resolved_at: AT }]);
});

it('keep the good rows of a page with a bad one, and say so', async () => {
  const extraction = await Extraction.start({}, { ...SETTINGS, streams: ['systems'] });
  extraction.tenant.addFault({ match: { path: '/scandetails$', pages: [2, 2] }, action: { type: 'badRow' } });
  extraction.tenant.addFault({
    match: { path: '/scandetails$', pages: [3, 3] },
    action: { type: 'badRow', kind: 'unknownEnum' },
  });
  extraction.tenant.addFault({
    match: { path: '/scandetails$', pages: [4, 4] },
    action: { type: 'badRow', kind: 'secondsTime' },
  });
  const output = await extraction.run();
  expect(output.code).toBe(0);
  expect(output.table('systems')).toHaveLength(168);
  expect(output.events('bad_rows')).toMatchObject([{ level: 'WARNING', stream: 'systems', rows: 1 }]);
  expect(output.table('systems').map((row) => row.resource_health_status)).toContain(99);
  for (const row of output.table('systems')) {
    if (row.last_scan_time !== null) expect(String(row.last_scan_time)).toMatch(/^20[012]\d-/);
  }
});
