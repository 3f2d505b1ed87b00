/** load_method overwrite: what hangs on a table comes along to the new one, or the former content stays. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { target } from '../../targets/postgres/target.ts';
import { load } from '../contract/target/load.ts';
import { openPostgres, type PostgresDestination } from './postgres.ts';

let destination: PostgresDestination;
/** Roles belong to the whole server, which other tests use too. */
const number = `${process.pid}_${Math.floor(Math.random() * 1e9)}`;
const [reader, owner] = [`reader_${number}`, `Owner of "all" ${number}`];
const OWNER = `"${owner.replaceAll('"', '""')}"`;

beforeAll(async () => {
  destination = await openPostgres();
  await destination.query(`CREATE ROLE ${reader}; CREATE ROLE ${OWNER}`);
});

afterAll(async () => {
  await destination?.query(`DROP OWNED BY ${reader}, ${OWNER} CASCADE; DROP ROLE ${reader}, ${OWNER}`);
  await destination?.close();
});

const schema = (more: object = {}) => ({
  type: 'SCHEMA',
  stream: 'users',
  key_properties: ['id'],
  schema: {
    properties: {
      id: { type: 'integer' },
      'Full name': { type: ['null', 'string'] },
      age: { type: ['null', 'integer'] },
      ...more,
    },
    'x-indexes': [['age']],
  },
});
const record = (id: number, name = `user ${id}`) => ({
  type: 'RECORD',
  stream: 'users',
  record: { id, 'Full name': name, age: id },
});
const FORMER = [schema(), record(1), record(2), { type: 'STATE', value: { n: 1 } }];
const LATER = [schema(), record(3), { type: 'STATE', value: { n: 2 } }];

const overwrite = (input: readonly unknown[]) =>
  load(target, destination, input, { settings: { load_method: 'overwrite' } });

beforeEach(async () => {
  await destination.query(
    'DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP SCHEMA IF EXISTS "re""ports" CASCADE; CREATE SCHEMA "re""ports"',
  );
  expect(await overwrite(FORMER)).toMatchObject({ code: 0, critical: [] });
});

afterEach(async () => {
  expect(await destination.query("SELECT relname FROM pg_class WHERE relname LIKE '\\_tapworks\\_new%'")).toEqual([]);
});

const ids = async (from = 'public.users') =>
  (await destination.query(`SELECT id FROM ${from} ORDER BY id`)).map(({ id }) => id);

async function replaced(): Promise<void> {
  expect(await overwrite(LATER)).toMatchObject({ code: 0, critical: [], states: ['{"n":2}'] });
  expect(await ids()).toEqual(['3']);
}

describe('is carried over', () => {
  it('the rights on the table and on its columns, as they were given', async () => {
    await destination.query(
      `GRANT SELECT, INSERT ON users TO ${reader} WITH GRANT OPTION; GRANT SELECT ON users TO PUBLIC;
       GRANT UPDATE ("Full name"), REFERENCES (id) ON users TO ${reader}; GRANT TRUNCATE ON users TO ${OWNER}`,
    );
    const rights = () =>
      destination.query(
        `SELECT a.grantee::regrole, a.privilege_type, a.is_grantable, NULL AS column FROM pg_class c CROSS JOIN aclexplode(c.relacl) a
         WHERE c.oid = 'public.users'::regclass AND a.grantee <> c.relowner UNION ALL
         SELECT a.grantee::regrole, a.privilege_type, a.is_grantable, t.attname FROM pg_attribute t CROSS JOIN aclexplode(t.attacl) a
         WHERE t.attrelid = 'public.users'::regclass ORDER BY 1, 2, 4`,
      );
    const before = await rights();
    expect(before).toHaveLength(6);
    await replaced();
    expect(await rights()).toEqual(before);
    await replaced();
    expect(await rights()).toEqual(before);
  });

  it('rights that the owner took from itself or from everybody stay taken', async () => {
    await destination.query(`REVOKE ALL ON users FROM PUBLIC; GRANT SELECT ON users TO ${reader}`);
    await replaced();
    const [may] = await destination.query(
      `SELECT has_table_privilege('${reader}', 'public.users', 'SELECT') AS read, has_table_privilege('${reader}', 'public.users', 'DELETE') AS delete`,
    );
    expect(may).toEqual({ read: 't', delete: 'f' });
  });

  it('the comments of table and columns', async () => {
    await destination.query(
      `COMMENT ON TABLE users IS E'all of them: it''s \\\\N\\n2nd line'; COMMENT ON COLUMN users."Full name" IS '$1 "quoted"'`,
    );
    const comments = () =>
      destination.query(
        `SELECT obj_description('public.users'::regclass) AS t, col_description('public.users'::regclass, attnum) AS c
         FROM pg_attribute WHERE attrelid = 'public.users'::regclass AND attname = 'Full name'`,
      );
    const before = await comments();
    await replaced();
    expect(await comments()).toEqual(before);
  });

  it('the owner', async () => {
    await destination.query(`ALTER TABLE users OWNER TO ${OWNER}; GRANT SELECT ON users TO ${reader}`);
    await replaced();
    expect(
      await destination.query(
        `SELECT tableowner, has_table_privilege('${reader}', 'public.users', 'SELECT') AS read FROM pg_tables WHERE tablename = 'users'`,
      ),
    ).toEqual([{ tableowner: owner, read: 't' }]);
  });

  it('the indexes that somebody made, and those of the schema', async () => {
    await destination.query(
      `CREATE INDEX by_name ON users (lower("Full name") text_pattern_ops) WHERE age > 0; CREATE UNIQUE INDEX "one Age" ON users (age) INCLUDE (id);
       CREATE INDEX brin ON users USING brin (id)`,
    );
    const indexes = () =>
      destination.query("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'users' ORDER BY 1");
    const before = await indexes();
    expect(before).toHaveLength(5);
    await replaced();
    expect(await indexes()).toEqual(before);
  });

  it('views, views over them, and those of other schemas, with their rights, owners, comments and options', async () => {
    await destination.query(
      `CREATE VIEW names WITH (security_barrier = true) AS SELECT id, "Full name" AS n FROM users WHERE age IS NOT NULL;
       CREATE VIEW "re""ports"."Top" AS SELECT n.id, u.age FROM names n JOIN users u USING (id);
       CREATE VIEW deep AS WITH x AS (SELECT * FROM "re""ports"."Top") SELECT count(*) AS n, max(x.id) AS id FROM x, names;
       CREATE VIEW unrelated AS SELECT 1 AS one;
       GRANT SELECT ON "re""ports"."Top" TO ${reader}; COMMENT ON VIEW names IS 'of all'; COMMENT ON COLUMN names.n IS 'the name';
       ALTER VIEW deep OWNER TO ${OWNER}; GRANT SELECT ON users, "re""ports"."Top", names TO ${OWNER}; GRANT USAGE ON SCHEMA "re""ports" TO ${OWNER}`,
    );
    const views = () =>
      destination.query(
        `SELECT c.oid::regclass::text AS name, pg_get_viewdef(c.oid) AS definition, array_to_string(c.reloptions, ',') AS options,
           c.relacl::text AS rights, pg_get_userbyid(c.relowner) AS owner, obj_description(c.oid, 'pg_class') AS comment, col_description(c.oid, 2) AS second
         FROM pg_class c WHERE c.relkind = 'v' AND c.relnamespace IN ('public'::regnamespace, '"re""ports"'::regnamespace) ORDER BY 1`,
      );
    const before = await views();
    expect(before).toHaveLength(4);
    await replaced();
    const after = await views();
    expect(after.map(({ rights, ...rest }) => rest)).toEqual(before.map(({ rights, ...rest }) => rest));
    expect(after.map(({ rights }) => rights?.split(/[{,}]/).sort())).toEqual(
      before.map(({ rights }) => rights?.split(/[{,}]/).sort()),
    );
    expect([await ids('names'), await ids('"re""ports"."Top"'), await ids('deep')]).toEqual([['3'], ['3'], ['3']]);
  });

  it('a recursive view and one with its own check', async () => {
    await destination.query(
      `CREATE RECURSIVE VIEW chain (id) AS SELECT id FROM users UNION SELECT u.id FROM users u JOIN chain ON chain.id = u.id;
       CREATE VIEW adults AS SELECT * FROM users WHERE age >= 1 WITH LOCAL CHECK OPTION`,
    );
    await replaced();
    expect([await ids('chain'), await ids('adults')]).toEqual([['3'], ['3']]);
    await expect(destination.query('INSERT INTO adults (id, age) VALUES (9, 0)')).rejects.toThrow(/check option/);
  });

  it('the key, by its name', async () => {
    await destination.query('ALTER TABLE users RENAME CONSTRAINT users_pkey TO "The key"');
    await replaced();
    await replaced();
    await expect(destination.query('INSERT INTO users (id) VALUES (3)')).rejects.toThrow(/unique constraint "The key"/);
  });
});

describe('is refused by name, and the former content stays', () => {
  const HINDRANCES: readonly [what: string, statement: string, named: RegExp][] = [
    [
      'a foreign key',
      'CREATE TABLE orders (u bigint CONSTRAINT "of user" REFERENCES users (id))',
      /foreign key "of user" of .*orders/,
    ],
    [
      'a trigger',
      `CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
       CREATE TRIGGER "Note" BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION noted()`,
      /trigger "Note" of .*users/,
    ],
    ['a policy', 'CREATE POLICY own ON users USING (true)', /policy "own" of .*users/],
    [
      'a materialized view',
      'CREATE MATERIALIZED VIEW kept AS SELECT id FROM users',
      /materialized view "public"\."kept"/,
    ],
    [
      'a materialized view over a view',
      'CREATE VIEW v AS SELECT id FROM users; CREATE MATERIALIZED VIEW "re""ports".kept AS SELECT id FROM v',
      /materialized view "re""ports"\."kept"/,
    ],
    ['a rule', 'CREATE RULE quiet AS ON DELETE TO users DO INSTEAD NOTHING', /rule "quiet" of .*users/],
    ['a child table', 'CREATE TABLE more () INHERITS (users)', /child table .*more/],
    ['a publication', 'CREATE PUBLICATION pub FOR TABLE users', /publication "pub"/],
    [
      'a function that returns its rows',
      `CREATE FUNCTION newest() RETURNS SETOF users LANGUAGE sql AS 'SELECT * FROM public.users'`,
      /newest/,
    ],
    [
      'a function with a body that reads it',
      'CREATE FUNCTION total() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM public.users; END',
      /total/,
    ],
    ['a column of its row type', 'CREATE TABLE copies (u users)', /copies/],
    ['an extended statistic', 'CREATE STATISTICS st ON id, age FROM users', /st/],
    ['a check', 'ALTER TABLE users ADD CONSTRAINT grown CHECK (age > 0)', /grown/],
    [
      'a unique constraint',
      'ALTER TABLE users ADD CONSTRAINT once UNIQUE (age)',
      /unique constraint "once" of .*users/,
    ],
    [
      'a foreign key of its own',
      'CREATE TABLE ages (a bigint PRIMARY KEY); INSERT INTO ages VALUES (1), (2), (3); ALTER TABLE users ADD CONSTRAINT known FOREIGN KEY (age) REFERENCES ages',
      /foreign key "known" of .*users/,
    ],
    ['row-level security', 'ALTER TABLE users ENABLE ROW LEVEL SECURITY', /row-level security of .*users/],
    ['a default', 'ALTER TABLE users ALTER age SET DEFAULT 7', /default/],
  ];

  it.each(HINDRANCES)('%s', async (_what, statement, named) => {
    await destination.query(statement);
    const { code, states, critical } = await overwrite(LATER);
    expect([code, states]).toEqual([1, []]);
    expect(critical.map(({ message }) => message)).toEqual([expect.stringMatching(named)]);
    expect(critical[0]?.message).toMatch(/load_method upsert|drop or change those objects first/);
    expect(await ids()).toEqual(['1', '2']);
  });

  it('and by all names when there are several', async () => {
    for (const [, statement] of HINDRANCES.slice(0, 3)) await destination.query(statement);
    const [line] = (await overwrite(LATER)).critical;
    for (const [, , named] of HINDRANCES.slice(0, 3)) expect(line?.message).toMatch(named);
  });
});

describe('what the new table has no place for', () => {
  const without = { ...schema(), schema: { properties: { id: { type: 'integer' } } } };

  it('an index over a column that has gone is left out, with a warning', async () => {
    await destination.query('CREATE INDEX by_name ON users ("Full name")');
    const { code, logs } = await overwrite([without, { type: 'RECORD', stream: 'users', record: { id: 3 } }]);
    expect(code).toBe(0);
    expect(
      logs.filter(({ event_type }) => event_type === 'index_left_out').map(({ message }) => message),
    ).toContainEqual(expect.stringMatching(/"users": by_name does not fit/));
    expect(await ids()).toEqual(['3']);
  });

  it('rights and comments of a column that has gone go with it', async () => {
    await destination.query(`GRANT SELECT (age) ON users TO ${reader}; COMMENT ON COLUMN users.age IS 'years'`);
    expect(await overwrite([without])).toMatchObject({ code: 0, critical: [] });
    expect(await destination.columns('users')).toEqual(['id']);
  });

  it('a view that needs a column that has gone keeps the former content in place', async () => {
    await destination.query('CREATE VIEW v AS SELECT age FROM users');
    const { code, critical } = await overwrite([without]);
    expect(code).toBe(1);
    expect(critical.map(({ message }) => message)).toEqual([expect.stringMatching(/column .*age/)]);
    expect(await ids()).toEqual(['1', '2']);
    expect(await destination.query('SELECT age FROM v ORDER BY 1')).toEqual([{ age: '1' }, { age: '2' }]);
  });
});
