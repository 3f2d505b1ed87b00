/** Whatever a record holds, the table holds the same: random values, loaded by the target and read back without it. */
import { env } from 'node:process';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Json, parseLossless } from '../../singer/lossless.ts';
import { target } from '../../targets/postgres/target.ts';
import { HOSTILE, lines, load } from '../contract/target/load.ts';
import { openPostgres, type PostgresDestination } from './postgres.ts';

const RUNS = env.TAPWORKS_SOAK === '1' ? 300 : HOSTILE ? 3 : 15;

let destination: PostgresDestination;

beforeEach(async () => {
  destination = await openPostgres();
});

afterEach(() => destination.close());

/** Loads record texts into a new table `t`, one by hand if `columns` says so, and returns its rows by key. */
async function through(properties: object, records: readonly string[], show: string, columns?: string) {
  await destination.query('DROP TABLE IF EXISTS t');
  if (columns !== undefined) await destination.query(`CREATE TABLE t (id bigint PRIMARY KEY, ${columns})`);
  const head = {
    type: 'SCHEMA',
    stream: 't',
    key_properties: ['id'],
    schema: { properties: { id: { type: 'integer' }, ...properties } },
  };
  const texts = records.map((fields, id) => `{"type":"RECORD","stream":"t","record":{"id":${id}${fields}}}`);
  const outcome = await load(target, destination, lines(head, ...texts));
  expect(outcome.critical).toEqual([]);
  expect(outcome.code).toBe(0);
  return destination.query<Record<string, string | null>>(`SELECT ${show} FROM t ORDER BY id`);
}

const special = fc.constantFrom(
  '\\',
  '\\N',
  '\\.',
  '\t',
  '\n',
  '\r',
  '"',
  "'",
  '\u0001',
  '\u007f',
  '\u2028',
  '$1',
  '😀',
  '\ufffd',
);
/** Texts of any characters that PostgreSQL has. */
const text = fc
  .array(fc.oneof({ weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) }, special), { maxLength: 8 })
  .map((parts) => parts.join('').replaceAll('\0', '').toWellFormed());

/** The text of a number as a tap may send it, with more digits than a double has. */
const digits = fc
  .tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.option(fc.stringMatching(/^\d{1,25}$/)))
  .map(([minus, whole, fraction]) => `${minus ? '-' : ''}${whole}${fraction === null ? '' : `.${fraction}`}`);

const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('null', 'true', 'false', '0', '1e3', '1E-7', '-1.50', '"\\u00e4"', '"\\/"'),
    digits,
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
    text.map((value) => JSON.stringify(value)),
    fc.array(tie('json'), { maxLength: 4 }).map((items) => `[${items.join(', ')}]`),
    fc
      .uniqueArray(fc.tuple(text, tie('json')), { maxLength: 4, selector: ([name]) => name })
      .map((members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`),
  ),
}));

/** A JSON value in one spelling: members by name, numbers without the zeros that change nothing. */
function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value === 'number' || (typeof value === 'object' && value !== null && 'rawJSON' in value)) {
    return decimal(JSON.stringify(value));
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value as Readonly<Record<string, Json>>).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join()}}`;
}

/** Digits and power of ten of a number's text. */
function decimal(number: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
  const all = `${whole}${fraction}`.replace(/^0+/, '');
  const kept = all.replace(/0+$/, '');
  return kept === '' ? '0' : `${sign}${kept}e${Number(exponent) - fraction.length + all.length - kept.length}`;
}

test('any JSON survives, in a column of JSON and in one of text', async () => {
  const property = fc.asyncProperty(fc.array(json, { minLength: 1, maxLength: 30 }), async (values) => {
    const sent = values.map((value) => `,"j":${value},"k":${value}`);
    const found = await through({ j: {}, k: {} }, sent, 'j, k', 'j jsonb, k text');
    // A null is no value; everything else, `"null"` among it, is.
    const expected = values.map((value) => (value === 'null' ? null : canonical(parseLossless(value))));
    const read = (column: 'j' | 'k') =>
      found.map(({ [column]: shown }) => (shown == null ? null : canonical(parseLossless(shown))));
    expect(read('j')).toEqual(expected);
    expect(read('k')).toEqual(expected);
  });
  await fc.assert(property, { numRuns: RUNS });
});

test('any text survives, byte for byte', async () => {
  const property = fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 40 }), async (texts) => {
    const found = await through(
      { s: { type: 'string' } },
      texts.map((value) => `,"s":${JSON.stringify(value)}`),
      's',
    );
    expect(found.map(({ s }) => s)).toEqual(texts);
  });
  await fc.assert(property, { numRuns: RUNS });
});

const two = (number: number) => String(number).padStart(2, '0');

/** An instant in some zone: its text and the seconds since 1970 that it stands for. */
const instant = fc
  .record({
    seconds: fc.integer({ min: Date.UTC(1, 0, 2) / 1000, max: Date.UTC(9999, 11, 30) / 1000 }),
    micros: fc.option(fc.integer({ min: 0, max: 999_999 })),
    offset: fc.integer({ min: -15 * 60 - 59, max: 15 * 60 + 59 }),
    zulu: fc.boolean(),
    letter: fc.constantFrom('T', 't', ' '),
  })
  .map(({ seconds, micros, offset, zulu, letter }) => {
    const minutes = zulu ? 0 : offset;
    const local = new Date((seconds + minutes * 60) * 1000).toISOString();
    const zone = zulu
      ? 'Z'
      : `${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
    const fraction = micros === null ? '' : `.${String(micros).padStart(6, '0')}`;
    return {
      sent: `${local.slice(0, 10)}${letter}${local.slice(11, 19)}${fraction}${zone}`,
      micros: String(BigInt(seconds) * 1_000_000n + BigInt(micros ?? 0)),
    };
  });

const common = {
  b: fc.boolean(),
  s: text,
  at: instant,
  day: fc.date({ min: new Date('1900-01-01'), max: new Date('9999-12-30'), noInvalidDate: true }),
  time: fc.integer({ min: 0, max: 86_399 }),
};

/** Numbers at the limits of their types. */
const wide = fc.record({
  ...common,
  i: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  big: fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n }),
  n: fc.double({ noNaN: true, noDefaultInfinity: true }),
  d: digits,
});

/** Numbers as most are, which are taken from their line as they are spelled. */
const everyday = fc.record({
  ...common,
  i: fc.bigInt({ min: -(10n ** 15n) + 1n, max: 10n ** 15n - 1n }),
  big: fc.bigInt({ min: -100n, max: 100n }),
  n: fc.integer({ min: -(10 ** 9), max: 10 ** 9 }).map((thousands) => thousands / 1000),
  d: fc.stringMatching(/^-?(0|[1-9]\d{0,7})(\.\d{1,6})?$/),
});

const PROPERTIES = {
  b: { type: ['null', 'boolean'] },
  i: { type: ['null', 'integer'] },
  n: { type: ['null', 'number'] },
  d: { type: ['null', 'number'], multipleOf: 0.01 },
  s: { type: ['null', 'string'] },
  at: { type: ['null', 'string'], format: 'date-time' },
  day: { type: ['null', 'string'], format: 'date' },
  time: { type: ['null', 'string'], format: 'time' },
};

const SHOWN = `b, i, big, n, d, s, (extract(epoch FROM at) * 1000000)::numeric(30)::text AS at, day, time`;

test.each([
  ['the widest numbers', wide, { type: ['null', 'integer'], maximum: 1e300 }],
  ['everyday numbers', everyday, { type: ['null', 'integer'] }],
])('records of every scalar type come back as they were, nulls among them: %s', async (_numbers, scalars, big) => {
  const properties = { ...PROPERTIES, big };
  const gap = fc.subarray(Object.keys(properties), { maxLength: 3 });
  const property = fc.asyncProperty(fc.array(fc.tuple(scalars, gap), { minLength: 1, maxLength: 25 }), async (rows) => {
    const clock = (seconds: number) =>
      `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
    const sent = rows.map(([row, missing]) => {
      const fields: Record<string, string> = {
        b: String(row.b),
        i: String(row.i),
        big: String(row.big),
        n: JSON.stringify(row.n),
        d: row.d,
        s: JSON.stringify(row.s),
        at: `"${row.at.sent}"`,
        day: `"${row.day.toISOString().slice(0, 10)}"`,
        time: `"${clock(row.time)}"`,
      };
      return Object.entries(fields)
        .map(([name, value]) => `,"${name}":${missing.includes(name) ? 'null' : value}`)
        .join('');
    });
    const found = await through(properties, sent, SHOWN);
    const expected = rows.map(([row, missing]) => {
      const shown: Record<string, string> = {
        b: row.b ? 't' : 'f',
        i: String(row.i),
        big: String(row.big),
        n: String(row.n + 0),
        d: decimal(row.d),
        s: row.s,
        at: row.at.micros,
        day: row.day.toISOString().slice(0, 10),
        time: clock(row.time),
      };
      return Object.fromEntries(
        Object.entries(shown).map(([name, value]) => [name, missing.includes(name) ? null : value]),
      );
    });
    const read = found.map(({ n, d, ...rest }) => ({
      ...rest,
      n: n == null ? null : String(Number(n)),
      d: d == null ? null : decimal(d),
    }));
    expect(read).toEqual(expected);
  });
  await fc.assert(property, { numRuns: RUNS });
});
