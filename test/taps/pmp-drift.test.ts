/** A vendor's rows that differ from what a stream declares: told once per field, and nothing else changes. */
import { describe, expect, it } from 'vitest';
import type { Json } from '../../singer/lossless.ts';
import type { JsonSchema } from '../../singer/messages.ts';
import { driftOf } from '../../taps/manageengine/drift.ts';
import { STREAMS } from '../../taps/pmp/streams.ts';
import type { Output } from '../contract/tap/outside.ts';
import { Extraction } from './extraction.ts';

const HOUR = 3_600_000;

const text = { type: ['null', 'string'] };
const schema = (properties: Readonly<Record<string, object>>, more: object = {}): JsonSchema =>
  ({
    type: 'object',
    properties: { snapshot_id: { type: 'integer' }, extracted_at: text, ...properties },
    ...more,
  }) as JsonSchema;

describe('rows differ by', () => {
  it.each([
    ['nothing', schema({ a: text }), [{ a: '1' }], [], []],
    ['a field that nobody declared', schema({ a: text }), [{ a: '1', b: 2 }], ['b'], []],
    ['a declared field that is not sent', schema({ a: text, b: text }), [{ a: '1' }], [], ['b']],
    ['both', schema({ a: text, b: text }), [{ a: '1', c: 2 }], ['c'], ['b']],
    ['nothing, when one of them has the field', schema({ a: text, b: text }), [{ a: '1' }, { b: '2' }], [], []],
    ['nothing, when the field is null', schema({ a: text }), [{ a: null }], [], []],
    [
      'one field, however many have it',
      schema({ a: text }),
      [
        { a: 1, b: 2 },
        { a: 1, b: 3 },
      ],
      ['b'],
      [],
    ],
    ['nothing, when it is left out on purpose', schema({ a: text }, { 'x-left-out': ['b'] }), [{ a: 1, b: 2 }], [], []],
    ['nothing, when it comes under another name', schema({ a: { ...text, 'x-source': ['b'] } }), [{ b: '1' }], [], []],
    ['its own name, when another is read', schema({ a: { ...text, 'x-source': ['b'] } }), [{ a: '1' }], ['a'], ['a']],
    ['nothing, when one of several sources is sent', schema({ a: { 'x-source': ['b', 'c'] } }), [{ c: '1' }], [], []],
    ['nothing, when a dotted name is one key', schema({ a: { 'x-source': ['b.c'] } }), [{ 'b.c': '1' }], [], []],
    ['nothing, when it leads into an object', schema({ a: { 'x-source': ['b.c'] } }), [{ b: { c: '1' } }], [], []],
    ['a dotted name that nobody reads', schema({ a: text }), [{ a: '1', 'b.c': '2' }], ['b.c'], []],
    ['nothing, when the row itself is the value', schema({ a: { 'x-source': [''] } }), [{ b: '1', c: '2' }], [], []],
    ['a name that every object has', schema({ a: text }), [{ a: '1', constructor: '2' }], ['constructor'], []],
    ['a missing name that every object has', schema({ toString: text }), [{}], [], ['toString']],
  ])('%s', (_name, declared, rows, unknown, missing) => {
    expect(driftOf(declared, rows as readonly { readonly [key: string]: Json }[])).toEqual({ unknown, missing });
  });
});

/** Warnings as stream, field and kind. */
const drifts = (output: Output) =>
  output.events('schema_drift').map(({ stream, field, drift, level }) => [stream, field, drift, level]);

const DRIFT = {
  scandetails: { add: ['risk', 'risk_reason'], drop: ['os_language'] },
  allpatches: { add: ['epss'], drop: [] },
  systemreport: { add: ['ring'], drop: ['vendor_name'] },
};
const EXPECTED = [
  ['systems', 'risk', 'unknown', 'WARNING'],
  ['systems', 'risk_reason', 'unknown', 'WARNING'],
  ['systems', 'os_language', 'missing', 'WARNING'],
  ['patches', 'epss', 'unknown', 'WARNING'],
  ['system_reports', 'ring', 'unknown', 'WARNING'],
  ['system_reports', 'vendor_name', 'missing', 'WARNING'],
];
const SETTINGS = { streams: ['systems', 'patches', 'system_reports'], pages_per_run: 3 };

async function drifted(settings: object = {}): Promise<Extraction> {
  const extraction = await Extraction.start({}, { ...SETTINGS, ...settings });
  extraction.tenant.configure({ drift: DRIFT });
  // A request per system.
  extraction.tenant.shrink('scandetails', 18);
  return extraction;
}

describe('a run', () => {
  it.each([1, 2, 3])('says nothing of rows as they are documented (seed %i)', async (seed) => {
    const extraction = await Extraction.start({ scenario: 'seed-paths', seed }, { pages_per_run: 1 });
    const output = await extraction.run({ streams: STREAMS.map(({ name }) => name) });
    expect(drifts(output)).toEqual([]);
  });

  it('warns once for each field, and stores what it knows', async () => {
    const extraction = await drifted({ pages_per_run: 0 });
    const output = await extraction.run();
    expect(output.code).toBe(0);
    expect(drifts(output)).toEqual(EXPECTED);
    expect(output.table('systems')).toHaveLength(150);
    for (const row of output.records('systems')) {
      expect(Object.keys(row)).not.toContain('risk');
      expect(row.os_language).toBeNull();
    }
  });

  it('says it on the first page of a sweep, and not again in its later batches', async () => {
    const extraction = await drifted();
    const first = await extraction.run();
    expect(drifts(first)).toEqual(EXPECTED);
    const order = first.logs.filter(
      ({ stream, event_type }) =>
        stream === 'systems' && ['schema_drift', 'extraction_progress'].includes(String(event_type)),
    );
    expect(order.slice(0, 4).map(({ event_type }) => event_type)).toEqual([
      'schema_drift',
      'schema_drift',
      'schema_drift',
      'extraction_progress',
    ]);
    for (let run = 2; run <= 4; run += 1) expect(drifts(await extraction.run())).toEqual([]);
  });

  it('says nothing of a server that changes in the middle of a sweep, and all of it with the next snapshot', async () => {
    const extraction = await Extraction.start({}, { ...SETTINGS, pages_per_run: 0, snapshot_max_age_hours: 1 });
    await extraction.run();
    extraction.clock.advance(2 * HOUR);
    extraction.tenant.configure({ drift: DRIFT });
    expect(drifts(await extraction.run())).toEqual(EXPECTED);
    extraction.clock.advance(2 * HOUR);
    expect(drifts(await extraction.run())).toEqual(EXPECTED);
  });

  it('says nothing while it retries gaps or looks a second time', async () => {
    const extraction = await drifted({ streams: ['systems'], pages_per_run: 0 });
    extraction.tenant.addFault({
      match: { path: '/scandetails$', pages: [2, 2], nth: 1 },
      action: { type: 'moveSystem', count: 2 },
    });
    extraction.tenant.addFault({ match: { path: '/scandetails$', pages: [5, 5] }, action: { type: 'burst503' } });
    const output = await extraction.run();
    expect(drifts(output)).toHaveLength(3);
    expect(drifts(await extraction.run())).toEqual([]);
  });

  it('names fields and no values', async () => {
    const extraction = await drifted({ pages_per_run: 0 });
    const output = await extraction.run();
    expect(output.stderr).not.toMatch(/new risk|new ring/);
  });
});
