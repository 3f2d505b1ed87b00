/** The rows of a release are those of a direct load, and the content hash of both sides agrees about every kind of value. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lines, messages } from '../contract/target/load.ts';
import { LIVE, type Releases, TICKETS, withReleases } from './postgres-releases.ts';

const FIXTURES = readdirSync(join(import.meta.dirname, '../messages')).map((name) => name.replace(/\.jsonl$/, ''));
/** A release is refused when the input ends behind its last state; this one is put there. */
const END = lines({ type: 'STATE', value: { end: true } });

/** Each table's columns with their types, its rows and its primary key. */
async function dump({ query }: Releases, schema: string): Promise<unknown> {
  const tables = await query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = '${schema}' AND tablename <> '_tapworks_rejects' ORDER BY 1`,
  );
  const found: Record<string, unknown> = {};
  for (const { name } of tables) {
    const table = `"${schema}"."${name.replaceAll('"', '""')}"`;
    const columns = await query<{ name: string }>(
      `SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS required FROM pg_attribute
       WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attname`,
      [table],
    );
    const rows = await query<Record<string, string | null>>(`SELECT * FROM ${table}`);
    // The moment of the deletion is that of the run.
    const plain = rows.map((row) => JSON.stringify(Object.entries(row).sort()));
    found[name] = { columns, rows: plain.sort() };
  }
  return found;
}

test.each(FIXTURES)('%s', (name) =>
  withReleases(async (releases) => {
    const input = (await messages(name)) + END;
    const direct = await releases.load(input, { settings: { release: 'direct', default_target_schema: 'plain' } });
    const { code, critical, states } = await releases.load(input);
    // What to do about another key is not the same.
    const said = (messages: readonly { readonly message?: unknown }[]) =>
      messages.map(({ message }) => String(message).replace(/ has the key .*/, ''));
    expect([code, said(critical)]).toEqual([direct.code, said(direct.critical)]);
    if (direct.code === 1) return;
    expect(states).toEqual(direct.states.slice(-1));
    expect(await dump(releases, LIVE)).toEqual(await dump(releases, 'plain'));
  }),
);

const VALUES = {
  type: 'SCHEMA',
  stream: 'values',
  schema: {
    properties: {
      id: { type: 'integer' },
      number: { type: ['null', 'number'] },
      money: { type: ['null', 'string'], format: 'singer.decimal' },
      moment: { type: ['null', 'string'], format: 'date-time' },
      clock: { type: ['null', 'string'], format: 'date-time', 'x-sd': { naive: true } },
      day: { type: ['null', 'string'], format: 'date' },
      time: { type: ['null', 'string'], format: 'time' },
      flag: { type: ['null', 'boolean'] },
      any: {},
      text: { type: ['null', 'string'] },
    },
  },
  key_properties: ['id'],
};

const ROWS: readonly object[] = [
  {
    number: 1e21,
    money: '1.50',
    moment: '2026-01-31T06:00:00Z',
    any: { b: 1, aa: [1, 'x', null], c: { é: 1.5, z: true } },
  },
  {
    number: -0,
    money: '-0.00',
    moment: '2026-01-31T06:00:00.1234567+05:30',
    any: 'text "quoted" \\ \u0001 \u007f \u2028',
  },
  { number: 5e-324, money: '1e-7', moment: '0001-01-01T00:00:00Z', any: 1e21 },
  { number: 0.1, money: '123456789012345678901234567890.123456789', moment: '9999-12-31T23:59:60Z', any: [] },
  { number: 1e-7, money: '1E+5', moment: '2026-02-28T24:00:00Z', any: {}, text: '' },
  {
    number: 123456789,
    money: '0.10',
    moment: '1969-12-31T23:59:59.999999-08:00',
    any: false,
    text: 'tab\t, line\n, \\N',
  },
  { clock: '2026-01-31T06:00:00', day: '2026-01-31', time: '23:59:59.999999', flag: true, text: '🙂é' },
  { clock: '1999-12-31 23:59:59.5', day: '0001-01-01', time: '24:00:00', flag: false, text: ' ' },
  { clock: '2026-01-31T06:00Z', day: '9999-12-31', time: '06:00Z', any: 0.1 },
  { any: { a: 1e-10, b: -1.5e300, '': 'empty' }, text: 'half \ud800 of one' },
];

test('values of every kind are hashed alike by both sides', () =>
  withReleases(async ({ load, told, query }) => {
    const records = ROWS.map((row, id) => ({ type: 'RECORD', stream: 'values', record: { id, ...row } }));
    const raw = `{"type":"RECORD","stream":"values","record":{"id":99,"any":{"n":[1.50,100e-2,12345678901234567890.10,-0.0]}}}\n`;
    const { code, critical } = await load(lines(VALUES, ...records) + raw + END, {
      settings: { validate_records: false },
    });
    expect([critical.map(({ message }) => message), code]).toEqual([[], 0]);
    const [release] = await told();
    expect(release?.tables.values).toMatchObject({ rows: ROWS.length + 1 });
    await query(`UPDATE ${LIVE}.values SET text = 'changed' WHERE id = 4`);
    expect((await load(lines(VALUES, ...records) + raw + END)).code).toBe(0);
    const hashes = (await told()).map(({ tables }) => tables.values?.content_hash);
    expect(hashes[0]).toBe(hashes[1]);
    expect((await load(lines(VALUES, ...records.slice(1), ...records.slice(0, 1)) + raw + END)).code).toBe(0);
    expect((await told())[0]?.tables.values?.content_hash).toBe(hashes[0]);
  }));

test('lines that are like one another, which nobody parses, are hashed alike too', () =>
  withReleases(async ({ load, query }) => {
    const { any: _any, ...properties } = VALUES.schema.properties;
    const lines_ = Array.from({ length: 40 }, (_, id) => {
      const text = ['plain', 'tab\\t and \\"quotes\\"', 'back\\\\slash \\/ \\n', '🙂 é', ''][id % 5];
      const number = ['1.5', '-0', '100', '0.10', 'null'][id % 5];
      const moment = ['"2026-01-31T06:00:00Z"', 'null', '"1969-07-20T20:17:40Z"', '"2026-01-31T06:00:00.25+01:00"'][
        id % 4
      ];
      const values = `"number":${number},"money":"${id}.50","moment":${moment},"clock":"2026-01-31T06:00:00","day":"2026-01-31","flag":${id % 2 === 0}`;
      return `{"type":"RECORD","stream":"values","record":{"id":${id},${values},"text":"${text}"},"version":3}\n`;
    });
    const schema = { ...VALUES, schema: { properties } };
    const input =
      lines(schema) + lines_.join('') + lines({ type: 'ACTIVATE_VERSION', stream: 'values', version: 3 }) + END;
    const { code, critical } = await load(input);
    expect([critical.map(({ message }) => message), code]).toEqual([[], 0]);
    expect(await query(`SELECT text FROM ${LIVE}.values WHERE id IN (1, 2) ORDER BY id`)).toEqual([
      { text: 'tab\t and "quotes"' },
      { text: 'back\\slash / \n' },
    ]);
  }));

test.each([
  ['widen', { n: '99999999999999999999' }, 'column_widened'],
  ['new_column', { n: null, n__big_integer: '99999999999999999999' }, 'column_added'],
])('a number that its column would round: schema_change %s', (schema_change, kept, event) =>
  withReleases(async ({ load, query }) => {
    const head = { ...TICKETS, schema: { properties: { id: { type: 'integer' }, n: { type: ['null', 'integer'] } } } };
    const record = (id: number, n: string) => `{"type":"RECORD","stream":"tickets","record":{"id":${id},"n":${n}}}\n`;
    const input = lines(head) + record(1, '1') + record(2, '99999999999999999999') + record(3, '3') + END;
    const { code, critical, logs } = await load(input, { settings: { schema_change } });
    expect([code, critical]).toEqual([0, []]);
    expect(logs.filter(({ event_type }) => event_type === event)).toHaveLength(1);
    expect(await query(`SELECT * FROM ${LIVE}.tickets WHERE id = 2`)).toEqual([{ id: '2', ...kept }]);
    const refused = await load(input, { settings: { schema_change: 'fail' } });
    expect([refused.code, refused.critical[0]?.message]).toEqual([
      1,
      expect.stringMatching(/a number in "n" that its column would round, and schema_change is fail/),
    ]);
  }),
);

test('a row that is changed on its way is found', () =>
  withReleases(async ({ begin, query, told }) => {
    // A trigger of the database's owner takes the place of a network or a disk that damages a row.
    await query(
      `CREATE FUNCTION public.damage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.text := upper(NEW.text); RETURN NEW; END $$`,
    );
    await query(`CREATE FUNCTION public.arm() RETURNS event_trigger LANGUAGE plpgsql AS $$ DECLARE made record; BEGIN
      FOR made IN SELECT * FROM pg_event_trigger_ddl_commands() WHERE object_identity LIKE '%values%' LOOP
        EXECUTE format('CREATE TRIGGER damage BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION public.damage()', made.objid::regclass);
      END LOOP; END $$`);
    await query(
      `CREATE EVENT TRIGGER arm ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION public.arm()`,
    );
    const loading = await begin();
    loading.send(lines(VALUES, { type: 'RECORD', stream: 'values', record: { id: 1, text: 'small' } }) + END);
    const { code, critical, states } = await loading.finish();
    expect([code, states]).toEqual([3, []]);
    expect(critical[0]?.message).toMatch(/table values does not hold what was sent/);
    expect((await told())[0]).toMatchObject({ status: 'refused' });
  }));
