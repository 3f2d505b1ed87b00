/** What SQLite alone knows: affinities, rebuilds, row numbers, tables made by hand. */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { execPath, pid } from 'node:process';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Row } from '../../singer/lossless.ts';
import { Metrics } from '../../singer/metrics.ts';
import { NO_PROGRESS } from '../../singer/progress.ts';
import type { Run } from '../../singer/stream.ts';
import { connectSqlite } from '../../targets/sqlite/sink.ts';
import { target } from '../../targets/sqlite/target.ts';
import { FakeClock } from '../contract/memory-io.ts';
import { ask, begin, lines, load, messages, type Outcome } from '../contract/target/load.ts';
import { openSqlite, type SqliteDestination } from './sqlite.ts';

let destination: SqliteDestination;

beforeEach(async () => {
  destination = await openSqlite();
});

afterEach(() => destination.close());

const schema = (properties: object, key: readonly string[] = ['id'], more: object = {}) => ({
  type: 'SCHEMA',
  stream: 't',
  schema: { properties: { id: { type: 'integer' }, ...properties }, ...more },
  key_properties: key,
});
const record = (values: object) => ({ type: 'RECORD', stream: 't', record: values });
const raw = (text: string) => `{"type":"RECORD","stream":"t","record":${text}}`;
const total = ({ logs }: Outcome) =>
  (logs.find(({ event_type }) => event_type === 'load_complete')?.streams as Record<string, unknown> | undefined)?.t;
const types = () =>
  Object.fromEntries(
    destination
      .query<{ name: string; type: string }>("SELECT name, type FROM pragma_table_info('t')")
      .map(({ name, type }) => [name, type]),
  );

describe('column types', () => {
  it('follow the schema', async () => {
    await load(target, destination, [
      schema({
        n: { type: 'number' },
        b: { type: 'boolean' },
        s: { type: 'string' },
        at: { type: 'string', format: 'date-time' },
        o: { type: 'object' },
        d: { type: 'number', multipleOf: 0.01 },
      }),
      record({ id: 5, n: 5, b: true, s: '5', at: '2026-01-31T06:00:00.000Z', o: { a: 5 }, d: 1 }),
    ]);
    expect(types()).toEqual({ id: 'BIGINT', n: 'REAL', b: 'BOOLEAN', s: 'TEXT', at: 'TEXT', o: 'TEXT', d: '' });
    const stored = destination.query(
      'SELECT typeof(id) AS id, typeof(n) AS n, typeof(b) AS b, typeof(s) AS s, typeof(o) AS o, at FROM t',
    );
    expect(stored).toEqual([
      { id: 'integer', n: 'real', b: 'integer', s: 'text', o: 'text', at: '2026-01-31T06:00:00.000Z' },
    ]);
  });

  it('a single integer key is not the row number', async () => {
    await load(target, destination, [schema({}), record({ id: 500 })]);
    expect(destination.query('SELECT rowid AS row, id FROM t')).toEqual([{ row: 1n, id: 500n }]);
  });
});

describe('widening', () => {
  it('rebuilds the table in the same transaction and keeps keys, indexes, triggers, views and row numbers', async () => {
    const head = schema({ n: { type: 'integer' }, s: { type: 'string' } }, ['id'], {
      'x-indexes': [['n'], ['s', 'n']],
    });
    await load(target, destination, [head, record({ id: 1, n: 1, s: 'a' }), record({ id: 2, n: 2, s: 'b' })]);
    destination.query('DELETE FROM t WHERE id = 1');
    destination.query('CREATE VIEW v AS SELECT n FROM t');
    destination.query('CREATE TABLE log (n)');
    destination.query('CREATE TRIGGER seen AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.id); END');
    const before = await destination.indexes('t');
    const outcome = await load(
      target,
      destination,
      lines(
        head,
        record({ id: 3, n: 3, s: 'c' }),
        raw('{"id":4,"n":99999999999999999999,"s":"d"}'),
        record({ id: 5, n: 5, s: 'e' }),
      ),
      { settings: { batch_rows: 100 } },
    );
    expect(outcome.code).toBe(0);
    expect(total(outcome)).toEqual({ inserted: 3, updated: 0, unchanged: 0, deleted: 0 });
    expect(types()).toEqual({ id: 'BIGINT', n: '', s: 'TEXT' });
    expect(await destination.indexes('t')).toEqual(before);
    expect(destination.query('SELECT rowid AS row, id, n, typeof(n) AS type FROM t')).toEqual([
      { row: 2n, id: 2n, n: 2n, type: 'integer' },
      { row: 3n, id: 3n, n: 3n, type: 'integer' },
      { row: 4n, id: 4n, n: '99999999999999999999', type: 'text' },
      { row: 5n, id: 5n, n: 5n, type: 'integer' },
    ]);
    expect(destination.query('SELECT n FROM log')).toEqual([{ n: 3n }, { n: 4n }, { n: 5n }]);
    expect(destination.query('SELECT count(*) AS n FROM v')).toEqual([{ n: 4n }]);
    const twice = await load(target, destination, lines(head, raw('{"id":4,"n":99999999999999999999,"s":"d"}')));
    expect(total(twice)).toEqual({ inserted: 0, updated: 0, unchanged: 1, deleted: 0 });
    expect(destination.query('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
  });

  it('is taken back with the batch that needed it', async () => {
    const head = schema({ n: { type: 'integer' } });
    await load(target, destination, [head, record({ id: 1, n: 1 })]);
    const input = lines(head, raw('{"id":2,"n":99999999999999999999}'), record({ id: 3, n: 'not a number' }));
    const { code } = await load(target, destination, input, {
      settings: { validate_records: false, batch_rows: 100 },
    });
    expect(code).toBe(1);
    expect(types()).toEqual({ id: 'BIGINT', n: 'BIGINT' });
    expect(destination.query('SELECT id FROM t')).toEqual([{ id: 1n }]);
  });

  it('is noticed by another target that is writing', async () => {
    const head = schema({ n: { type: 'integer' } });
    const slow = await begin(target, destination, { settings: { batch_rows: 1 } });
    slow.send([head, record({ id: 1, n: 1 })]);
    await slow.stdin.idle();
    await load(target, destination, lines(head, raw('{"id":2,"n":99999999999999999999}')));
    slow.send([record({ id: 3, n: 3 })]);
    expect((await slow.finish()).code).toBe(0);
    expect(destination.query('SELECT n, typeof(n) AS type FROM t WHERE id = 3')).toEqual([{ n: 3n, type: 'integer' }]);
  });

  it('is refused for a table whose clauses would be lost', async () => {
    destination.query('CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, n BIGINT CHECK (n > 0))');
    const { code, critical } = await load(
      target,
      destination,
      lines(schema({ n: { type: 'integer' } }), raw('{"id":2,"n":99999999999999999999}')),
    );
    expect(code).toBe(1);
    expect(critical[0]?.message).toMatch(/column "n" of table "t".*made by hand \(CHECK\)/);
    expect(types().n).toBe('BIGINT');
  });
});

describe('tables made by hand', () => {
  it.each([
    ['a row number as key', 'CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT)'],
    ['no row number', 'CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, s TEXT) WITHOUT ROWID'],
    ['a unique index instead of a key', 'CREATE TABLE t (id BIGINT UNIQUE, s TEXT)'],
    ['columns named like the row number', 'CREATE TABLE t (id BIGINT UNIQUE, s TEXT, rowid, oid, _rowid_)'],
  ])('with %s are loaded and counted', async (_what, sql) => {
    destination.query(sql);
    destination.query("INSERT INTO t (id, s) VALUES (7, 'old'), (900, 'kept')");
    const input = [schema({ s: { type: 'string' } }), ...[7, 8, 5_000, 9].map((id) => record({ id, s: 'new' }))];
    const outcome = await load(target, destination, input);
    expect(total(outcome)).toEqual({ inserted: 3, updated: 1, unchanged: 0, deleted: 0 });
    expect(destination.query('SELECT id, s FROM t ORDER BY id')).toHaveLength(5);
  });

  it('without the key are refused', async () => {
    destination.query('CREATE TABLE t (id BIGINT, s TEXT)');
    const { critical } = await load(target, destination, [schema({ s: { type: 'string' } })]);
    expect(critical[0]?.message).toMatch(/table "t" has no key, but the stream now has the key \(id\)/);
  });
});

describe('the registry of names', () => {
  it('is made only when a name had to change', async () => {
    const made = () => destination.query("SELECT name FROM sqlite_master WHERE name = '_tapworks_names'").length;
    await load(target, destination, await messages('upsert_by_key'));
    expect(made()).toBe(0);
    await load(target, destination, await messages('name_clash'));
    expect(made()).toBe(1);
    const names = destination.query('SELECT property, name FROM _tapworks_names ORDER BY property');
    expect(names.map(({ property }) => property)).toEqual(['Name', 'a.b', 'name']);
  });
});

describe('counts', () => {
  it('equal a naive count, whatever is loaded over what', async () => {
    const rows = fc.array(fc.record({ id: fc.integer({ min: -3, max: 90 }), s: fc.constantFrom('a', 'b', null) }), {
      maxLength: 130,
    });
    const head = schema({ s: { type: ['null', 'string'] } });
    const check = async (loads: readonly { id: number; s: string | null }[][]) => {
      destination.query('DROP TABLE IF EXISTS t');
      const model = new Map<number, string | null>();
      for (const batch of loads) {
        const expected = { inserted: 0, updated: 0, unchanged: 0, deleted: 0 };
        for (const { id, s } of batch) {
          if (!model.has(id)) expected.inserted += 1;
          else if (model.get(id) !== s) expected.updated += 1;
          else expected.unchanged += 1;
          model.set(id, s);
        }
        const outcome = await load(target, destination, [head, ...batch.map(record)], { chunk: 100_000 });
        expect(total(outcome)).toEqual(batch.length === 0 ? undefined : expected);
      }
    };
    await fc.assert(fc.asyncProperty(fc.array(rows, { maxLength: 3 }), check), { numRuns: 25 });
  });

  it('a table of 2,000 columns', async () => {
    const full = (id: number) =>
      record({ id, ...Object.fromEntries(Array.from({ length: 1_999 }, (_, index) => [`c${index}`, index])) });
    const outcome = await load(target, destination, [wide(1_999), ...[1, 2, 3, 1].map(full)], {
      chunk: 100_000,
    });
    expect(outcome.critical).toEqual([]);
    expect([outcome.code, total(outcome)]).toEqual([0, { inserted: 3, updated: 0, unchanged: 1, deleted: 0 }]);
  });
});

/** A stream with an id and so many more columns. */
const wide = (columns: number) =>
  schema(Object.fromEntries(Array.from({ length: columns }, (_, index) => [`c${index}`, { type: 'integer' }])));

describe('more than 2,000 columns', () => {
  it('are refused for a new table', async () => {
    const { code, critical } = await load(target, destination, [wide(2_000)]);
    expect(code).toBe(1);
    expect(critical[0]?.message).toMatch(/stream "t" needs 2001 columns, and a table of SQLite has at most 2000/);
  });

  it('are refused for a table that grows, which stays as it is', async () => {
    await load(target, destination, [wide(1_990)]);
    const { critical } = await load(target, destination, [wide(1_990)], {
      settings: { add_record_metadata: true },
    });
    expect(critical).toEqual([]);
    const grown = await load(target, destination, [schema({ a: {}, b: {}, c: {} })]);
    expect(grown.critical[0]?.message).toMatch(/stream "t" needs 2001 columns/);
    expect(await destination.columns('t')).toHaveLength(1_998);
  });
});

describe('overwrite', () => {
  const settings = { load_method: 'overwrite' };
  const head = schema({ s: { type: 'string' } });

  it('keeps indexes, triggers and views that somebody made, and tells which no longer fit', async () => {
    await load(target, destination, [schema({ s: { type: 'string' }, old: { type: 'string' } }), record({ id: 1 })]);
    destination.query('CREATE INDEX by_s ON t (s)');
    destination.query('CREATE INDEX by_old ON t (old)');
    destination.query('CREATE TABLE log (id)');
    destination.query('CREATE TRIGGER seen AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.id); END');
    destination.query('CREATE VIEW v AS SELECT s FROM t');
    const { code, logs } = await load(target, destination, [head, record({ id: 2, s: 'b' })], { settings });
    expect(code).toBe(0);
    expect(await destination.indexes('t')).toEqual([['s']]);
    expect(logs.filter(({ event_type }) => event_type === 'index_left_out').map(({ message }) => message)).toEqual([
      expect.stringMatching(/by_old does not fit the new table/),
    ]);
    expect(destination.query('SELECT s FROM v')).toEqual([{ s: 'b' }]);
    await load(target, destination, [head, record({ id: 3, s: 'c' })]);
    expect(destination.query('SELECT id FROM log')).toEqual([{ id: 3n }]);
  });

  it('removes what a killed load has left aside', async () => {
    const { pid: gone = 0 } = spawnSync(execPath, ['--version']);
    const tables = [`_tapworks_new_${gone}_0a1b2c3d_t`, `_tapworks_new_${pid}_0a1b2c3d_t`];
    for (const table of tables) destination.query(`CREATE TABLE ${table} (id BIGINT NOT NULL PRIMARY KEY, s TEXT)`);
    await load(target, destination, [head, record({ id: 2, s: 'whole' })], { settings });
    expect(destination.query('SELECT s FROM t')).toEqual([{ s: 'whole' }]);
    // The second belongs to a process that is alive.
    expect(destination.query("SELECT name FROM sqlite_master WHERE name GLOB '_tapworks_new_*_t'")).toEqual([
      { name: tables[1] },
    ]);
  });
});

describe('a transaction', () => {
  const run = (): Run => ({
    log: { warn() {}, info() {} } as unknown as Run['log'],
    clock: new FakeClock(),
    signal: new AbortController().signal,
    metrics: new Metrics(),
    progress: NO_PROGRESS,
    env: {},
  });
  const stream = {
    name: 't',
    key: ['id'],
    schema: { properties: { id: { type: 'integer' }, n: { type: 'integer' } } },
  };
  const connect = () =>
    connectSqlite(
      {
        database: destination.path,
        loadMethod: 'upsert',
        schemaChange: 'widen',
        hardDelete: false,
        synchronous: 'full',
        state: undefined,
      },
      run(),
    );

  it('that is not committed leaves nothing, a widened column included', async () => {
    const sink = await connect();
    await sink.prepare(stream);
    const row = (id: number, n: unknown) => ({ stream, rows: [{ id, n } as Row], lines: [1], gone: false });
    await sink.add(row(1, 1), 0);
    await sink.commit(undefined);
    await sink.add(row(2, JSON.rawJSON('99999999999999999999')), 0);
    await sink.close();
    expect(types()).toEqual({ id: 'BIGINT', n: 'BIGINT' });
    expect(destination.query('SELECT id FROM t')).toEqual([{ id: 1n }]);
  });
});

describe('a state that cannot be kept', () => {
  it('takes its rows back', async () => {
    destination.query('CREATE TABLE states (state_key PRIMARY KEY, state, updated_at)');
    destination.query("CREATE TRIGGER no BEFORE INSERT ON states BEGIN SELECT RAISE(ABORT, 'no'); END");
    const input = [schema({}), record({ id: 1 }), { type: 'STATE', value: { n: 1 } }];
    const settings = { state_table: 'states', state_key: 'k', batch_rows: 100 };
    const { code, states } = await load(target, destination, input, { settings });
    expect([code, states]).toEqual([1, []]);
    expect(await destination.rows('t')).toEqual([]);
  });
});

describe('the command state', () => {
  it('creates no file', async () => {
    const settings = { state_table: 's', state_key: 'k' };
    expect(await ask(target, destination, ['state'], settings)).toMatchObject({ code: 0, states: ['{}'] });
    expect(existsSync(destination.path)).toBe(false);
  });

  it('tells of a file that is no database', async () => {
    writeFileSync(destination.path, 'no database at all, but long enough to be one'.repeat(100));
    const { code, critical } = await ask(target, destination, ['state'], { state_table: 's', state_key: 'k' });
    expect([code, critical[0]?.message]).toEqual([1, expect.stringMatching(/not an SQLite database/)]);
  });
});
