/**
 * Rows go in by groups, many to a statement, read in the order of their properties. The plain way takes one row at a time,
 * looks each property up and commits each row. Both must leave the same table, to the byte and the row number.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { target } from '../../targets/sqlite/target.ts';
import { lines, load } from '../contract/target/load.ts';
import { openSqlite } from './sqlite.ts';

const PROPERTIES = {
  id: { type: 'integer' },
  part: { type: 'string' },
  name: { type: ['null', 'string'] },
  at: { type: ['null', 'string'], format: 'date-time' },
  flag: { type: ['null', 'boolean'] },
  count: { type: ['null', 'integer'] },
  ratio: { type: ['null', 'number'] },
  price: { type: ['null', 'number'], multipleOf: 0.01 },
  wide: { type: ['null', 'integer'], maximum: 1e30 },
  doc: {},
};
const SCHEMA = { type: 'SCHEMA', stream: 't', schema: { properties: PROPERTIES }, key_properties: ['id', 'part'] };

const nullable = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 4 });
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 6 }), fc.constantFrom('', '5', '5.0', 'null', '\\', "'"));
const number = (...texts: readonly string[]) => fc.constantFrom(...texts).map((source) => JSON.rawJSON(source));
const integer = number(
  '0',
  '-0',
  '1',
  '-7',
  '5.0',
  '9007199254740991',
  '9007199254740993',
  '9223372036854775807',
  '1e3',
);
const decimal = number('0.1', '-2.5', '3', '1e300', '0.30000000000000004', '12.50');

/** Values that make a column lose its type are rare: each changes the table for all rows that follow. */
const row = fc.record(
  {
    id: number('1', '2', '3', '4', '5', '6'),
    part: fc.constantFrom('a', 'b'),
    name: nullable(text),
    at: nullable(fc.constantFrom('2026-01-31T06:00:00Z', 'not a time')),
    flag: nullable(fc.boolean()),
    count: nullable(
      fc.oneof({ weight: 40, arbitrary: integer }, { weight: 1, arbitrary: number('99999999999999999999') }),
    ),
    ratio: nullable(
      fc.oneof({ weight: 40, arbitrary: decimal }, { weight: 1, arbitrary: number('0.12345678901234567890') }),
    ),
    price: nullable(decimal),
    wide: nullable(number('1', '123456789012345678901234567890')),
    doc: nullable(fc.jsonValue({ maxDepth: 1 })),
    extra: nullable(text),
  },
  { requiredKeys: ['id', 'part'] },
);

const record = (values: object) => ({ type: 'RECORD', stream: 't', record: values });
const backwards = (values: object) => Object.fromEntries(Object.entries(values).reverse());

it('leaves the same table as the plain way', async () => {
  const check = async (rows: readonly object[]) => {
    const [fast, plain] = [await openSqlite(), await openSqlite()];
    try {
      const outcome = await load(target, fast, lines(SCHEMA, ...rows.map(record)), {
        chunk: 1e6,
        settings: { batch_rows: 1e6 },
      });
      const other = await load(target, plain, lines(SCHEMA, ...rows.map((values) => record(backwards(values)))), {
        chunk: 7,
        settings: { batch_rows: 1 },
      });
      expect([outcome.code, other.code]).toEqual([0, 0]);
      const columns = Object.keys(PROPERTIES).map((name) => `typeof("${name}"), hex("${name}"), quote("${name}")`);
      const dump = `SELECT rowid, ${columns.join(', ')} FROM t ORDER BY rowid`;
      const shape = "SELECT sql FROM sqlite_master WHERE name = 't'";
      expect(fast.query(shape)).toEqual(plain.query(shape));
      expect(fast.query(dump)).toEqual(plain.query(dump));
      const totals = [outcome, other].map(
        ({ logs }) => logs.find(({ event_type }) => event_type === 'load_complete')?.streams,
      );
      expect(totals[0]).toEqual(totals[1]);
    } finally {
      await fast.close();
      await plain.close();
    }
  };
  await fc.assert(fc.asyncProperty(fc.array(row, { maxLength: 130 }), check), { numRuns: 40 });
});
