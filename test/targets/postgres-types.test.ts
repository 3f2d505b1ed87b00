/** Columns that give way to another type: no value changes on the way. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { target } from '../../targets/postgres/target.ts';
import { lines, load, type Outcome } from '../contract/target/load.ts';
import { openPostgres, type PostgresDestination } from './postgres.ts';

let destination: PostgresDestination;

beforeAll(async () => {
  destination = await openPostgres();
});

afterAll(() => destination?.close());

beforeEach(() => destination.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public'));

interface Kind {
  readonly node: object;
  /** Values as JSON texts, and what each means: digits, text or time, whatever type holds it. */
  readonly values: Readonly<Record<string, string>>;
}

const KINDS: Readonly<Record<string, Kind>> = {
  boolean: { node: { type: 'boolean' }, values: { true: 'true', false: 'false' } },
  integer: {
    node: { type: 'integer' },
    values: { '0': '0', '-5': '-5e0', '9223372036854775807': '9223372036854775807e0' },
  },
  big_integer: {
    node: { type: 'integer', maximum: 1e30 },
    values: { '99999999999999999999': '99999999999999999999e0', '12': '12e0' },
  },
  number: { node: { type: 'number' }, values: { '0.1': '1e-1', '1e300': '1e300', '5e-324': '5e-324' } },
  decimal: {
    node: { type: ['number', 'string'], format: 'singer.decimal' },
    values: { '"1.10"': '11e-1', '123456789012345678901.23': '12345678901234567890123e-2' },
  },
  text: { node: { type: 'string' }, values: { '""': '', '"x07"': 'x07', '"ä\\\\\\t"': 'ä\\\t' } },
  date_time: {
    node: { type: 'string', format: 'date-time' },
    values: {
      '"2026-01-31T06:00:00.123456Z"': '2026-01-31T06:00:00.123456Z',
      '"2026-01-31T01:00:00+02:00"': '2026-01-30T23:00:00.000000Z',
    },
  },
  local_date_time: {
    node: { type: 'string', format: 'date-time', 'x-sd': { naive: true } },
    values: { '"2026-01-31T06:00:00.5"': '2026-01-31T06:00:00.500000' },
  },
  date: {
    node: { type: 'string', format: 'date' },
    values: { '"2026-01-31"': '2026-01-31', '"0001-01-01"': '0001-01-01' },
  },
  time: {
    node: { type: 'string', format: 'time' },
    values: { '"06:00:00.5"': '06:00:00.5', '"24:00:00"': '24:00:00' },
  },
  json: { node: {}, values: { '{"a":[1,"x"]}': '{"a":[1,"x"]}', '[]': '[]' } },
};

const NAMES = Object.keys(KINDS);
const column = (from: string, to: string) => `${from} to ${to}`;
const PAIRS = NAMES.flatMap((from) => NAMES.map((to) => [from, to] as const));

const head = (properties: object, key: readonly string[] = ['id']) => ({
  type: 'SCHEMA',
  stream: 't',
  key_properties: key,
  schema: { properties: { id: { type: 'integer' }, ...properties } },
});

/** A schema and records in which the column of every pair is of its first or its second kind. */
function reading(second: boolean): string {
  const kindOf = ([from, to]: readonly [string, string]) => KINDS[second ? to : from] as Kind;
  const properties = Object.fromEntries(PAIRS.map((pair) => [column(...pair), kindOf(pair).node]));
  const records = [0, 1, 2].map((place) => {
    const fields = PAIRS.map((pair) => {
      const value = Object.keys(kindOf(pair).values)[place];
      return value === undefined ? '' : `,${JSON.stringify(column(...pair))}:${value}`;
    });
    return `{"type":"RECORD","stream":"t","record":{"id":${place + (second ? 10 : 0)}${fields.join('')}}}`;
  });
  return lines(head(properties), ...records);
}

/** What a stored text means: JSON without blanks, digits without zeros that change nothing, times in one spelling. */
function meaning(text: string | null, type: string): string | null {
  if (text === null) return null;
  if (type === 'jsonb') {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'string') return meaning(value, 'text');
    return typeof value === 'object' ? JSON.stringify(value) : meaning(text, 'text');
  }
  const moment = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|\+00|\+02:00)?$/.exec(text);
  if (moment !== null) {
    const [, day, clock, fraction = '', zone = ''] = moment;
    const utc = zone === '+02:00' ? new Date(text).toISOString().slice(0, 19) : `${day}T${clock}`;
    return `${utc}.${fraction.padEnd(6, '0')}${zone === '' ? '' : 'Z'}`;
  }
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  if (whole === '') return text;
  const all = `${whole}${fraction}`.replace(/^0+/, '');
  const kept = all.replace(/0+$/, '');
  return kept === '' ? '0' : `${sign}${kept}e${Number(exponent) - fraction.length + all.length - kept.length}`;
}

async function types(): Promise<ReadonlyMap<string, string>> {
  const found = await destination.query<{ name: string; type: string }>(
    `SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
     WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
  );
  return new Map(found.map(({ name, type }) => [name, type]));
}

/** Rows by key; every value as text. */
async function rows(): Promise<readonly Readonly<Record<string, string | null>>[]> {
  return destination.query('SELECT * FROM t ORDER BY id');
}

const total = ({ logs }: Outcome) =>
  (logs.find(({ event_type }) => event_type === 'load_complete')?.streams as Record<string, unknown> | undefined)?.t;

/** What the values of a kind mean, in the places of the three records. */
const expected = (kind: string) => {
  const meanings = Object.values(KINDS[kind]?.values ?? {});
  return [0, 1, 2].map((place) => meanings[place] ?? null);
};

/** A day that became a date-time is its midnight. */
const dayless = (text: string | null) => text?.replace(/^(\d{4}-\d\d-\d\d)T00:00:00\.000000Z?$/, '$1') ?? null;

const shown = (text: string | null | undefined, type: string) => {
  const boolean = type === 'boolean' && text != null ? (text === 't' ? 'true' : 'false') : (text ?? null);
  return dayless(meaning(boolean, type));
};

describe('a property that changes its type', () => {
  it('keeps all values before and after, for every pair of types', async () => {
    expect(await load(target, destination, reading(false))).toMatchObject({ code: 0, critical: [] });
    const before = await types();
    expect(await load(target, destination, reading(true))).toMatchObject({ code: 0, critical: [] });
    const after = await types();
    const stored = await rows();
    expect(stored).toHaveLength(6);
    for (const [from, to] of PAIRS) {
      const name = column(from, to);
      const type = after.get(name) ?? '';
      const found = stored.map((row) => shown(row[name], type));
      expect(found, `${name}: ${before.get(name)} → ${type}`).toEqual([...expected(from), ...expected(to)]);
      if (from === to) expect(type).toBe(before.get(name));
    }
    const again = await load(target, destination, reading(true));
    expect(total(again)).toEqual({ inserted: 0, updated: 0, unchanged: 3, deleted: 0 });
    expect(await types()).toEqual(after);
  });

  it('goes to a new column where the settings say so, and the old one stays as it is', async () => {
    await load(target, destination, reading(false));
    const [before, former] = [await types(), await rows()];
    const settings = { schema_change: 'new_column' };
    expect(await load(target, destination, reading(true), { settings })).toMatchObject({ code: 0, critical: [] });
    const after = await types();
    const stored = await rows();
    for (const [from, to] of PAIRS) {
      const name = column(from, to);
      expect([name, after.get(name)]).toEqual([name, before.get(name)]);
      expect(stored.slice(0, 3).map((row) => row[name])).toEqual(former.map((row) => row[name]));
      const own = [...after.keys()].find((other) => other.startsWith(`${name}__`)) ?? name;
      expect(
        stored.slice(3).map((row) => shown(row[own] ?? row[name], after.get(own) ?? '')),
        name,
      ).toEqual(expected(to));
    }
    // A value that still fitted its column went there; from now on it goes where the later ones went.
    await load(target, destination, reading(true), { settings });
    const again = await load(target, destination, reading(true), { settings });
    expect(total(again)).toEqual({ inserted: 0, updated: 0, unchanged: 3, deleted: 0 });
    expect(await types()).toEqual(after);
  });

  it.each([
    ['integer', 'text'],
    ['text', 'integer'],
    ['date', 'date_time'],
    ['date_time', 'local_date_time'],
    ['boolean', 'integer'],
    ['number', 'decimal'],
  ])('from %s to %s: is refused where the settings say so, unless the column holds both', async (from, to) => {
    const [first, second] = [KINDS[from] as Kind, KINDS[to] as Kind];
    const record = ({ values }: Kind, id: number) =>
      `{"type":"RECORD","stream":"t","record":{"id":${id},"v":${Object.keys(values)[0]}}}`;
    await load(target, destination, lines(head({ v: first.node }), record(first, 1)));
    const [before, former] = [await types(), await rows()];
    const input = lines(head({ v: second.node }), record(second, 2));
    const { code, critical } = await load(target, destination, input, { settings: { schema_change: 'fail' } });
    expect(await types()).toEqual(before);
    if (from === 'text') {
      expect(code).toBe(0);
    } else {
      expect(code).toBe(1);
      expect(critical).toHaveLength(1);
      expect(critical[0]?.message).toMatch(
        new RegExp(`"t": property "v" is now ${to}, but its column is ${before.get('v')}.*widen or new_column`),
      );
      expect(await rows()).toEqual(former);
    }
  });

  it('says so when a view keeps the column from giving way, and changes nothing', async () => {
    await load(target, destination, [
      head({ v: { type: 'integer' } }),
      { type: 'RECORD', stream: 't', record: { id: 1, v: 5 } },
    ]);
    await destination.query('CREATE VIEW seen AS SELECT v FROM t');
    const input = [head({ v: { type: 'string' } }), { type: 'RECORD', stream: 't', record: { id: 2, v: 'x' } }];
    const { code, critical } = await load(target, destination, input);
    expect(code).toBe(1);
    expect(critical.map(({ message }) => message)).toEqual([
      expect.stringMatching(/a view or rule uses the column.*drop the view/),
    ]);
    expect(await rows()).toEqual([{ id: '1', v: '5' }]);
  });
});

describe('a key', () => {
  it('keeps its type: a change is refused or changes nothing', async () => {
    const from = NAMES.filter((name) => !['decimal', 'local_date_time', 'time'].includes(name));
    const changes = from.flatMap((one) => NAMES.filter((to) => to !== one).map((to) => [one, to] as const));
    const schema = (place: number, kind: string) => ({
      type: 'SCHEMA',
      stream: `t${place}`,
      key_properties: ['k'],
      schema: { properties: { k: KINDS[kind]?.node } },
    });
    const value = (place: number, kind: string) =>
      `{"type":"RECORD","stream":"t${place}","record":{"k":${Object.keys(KINDS[kind]?.values ?? {}).at(-1)}}}`;
    const first = changes.flatMap(([one], place) => [schema(place, one), value(place, one)]);
    expect(await load(target, destination, lines(...first))).toMatchObject({ code: 0, critical: [] });
    for (const [place, [one, to]] of changes.entries()) {
      const before = await destination.query(`SELECT k::text AS k FROM t${place}`);
      const { code, critical } = await load(target, destination, lines(schema(place, to), value(place, one)), {
        settings: { validate_records: false },
      });
      const pair = `${one} to ${to}: ${critical[0]?.message}`;
      expect(critical, pair).toHaveLength(code);
      if (code === 1) expect(critical[0]?.message, pair).toMatch(/a key must keep its type|cannot hold/);
      // A key that is sent again must find its row, whatever the schema calls it now.
      expect(await destination.query(`SELECT k::text AS k FROM t${place}`), pair).toEqual(before);
    }
  }, 120_000);
});
