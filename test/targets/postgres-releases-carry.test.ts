/** What belongs to the live schema besides loaded rows follows to the next release, or the switch is refused naming it. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { desk, LIVE, type Releases, withReleases } from './postgres-releases.ts';

const it = (name: string, body: (releases: Releases) => Promise<void>) => test(name, () => withReleases(body));

/** Makes a role for the test, which is dropped with what it was granted. */
async function withRole({ query }: Releases, body: (role: string) => Promise<void>): Promise<void> {
  const role = `reader_${randomBytes(4).toString('hex')}`;
  await query(`CREATE ROLE ${role}`);
  try {
    await body(role);
  } finally {
    await query(`DROP OWNED BY ${role}`);
    await query(`DROP ROLE ${role}`);
  }
}

describe('carried', () => {
  it('rights on the schema, on tables and columns, and those of tables to come', async (releases) => {
    const { load, query, command } = releases;
    await load(desk(1));
    await withRole(releases, async (role) => {
      await query(`GRANT USAGE ON SCHEMA ${LIVE} TO ${role}; GRANT SELECT (id) ON ${LIVE}.tickets TO ${role};
        ALTER DEFAULT PRIVILEGES IN SCHEMA ${LIVE} GRANT SELECT ON TABLES TO ${role};
        COMMENT ON SCHEMA ${LIVE} IS 'the desk'; COMMENT ON TABLE ${LIVE}.tickets IS 'all of them';
        COMMENT ON COLUMN ${LIVE}.tickets.title IS 'one line'`);
      const more = desk(2).replaceAll('"comments"', '"notes"');
      expect((await load(desk(2) + more)).critical).toEqual([]);
      for (const _step of ['after the switch', 'after rollback and promotion']) {
        const [found] = await query(`SELECT has_schema_privilege('${role}', '${LIVE}', 'USAGE') AS schema,
          has_column_privilege('${role}', '${LIVE}.tickets', 'id', 'SELECT') AS id, has_column_privilege('${role}', '${LIVE}.tickets', 'title', 'SELECT') AS title,
          has_table_privilege('${role}', '${LIVE}.notes', 'SELECT') AS notes, has_table_privilege('${role}', '${LIVE}.comments', 'SELECT') AS comments,
          obj_description('${LIVE}'::regnamespace) AS schema_comment, obj_description('${LIVE}.tickets'::regclass) AS comment,
          col_description('${LIVE}.tickets'::regclass, 2) AS column_comment`);
        expect(found).toEqual({
          ...{ schema: 't', id: 't', title: 'f', notes: 't', comments: 'f' },
          ...{ schema_comment: 'the desk', comment: 'all of them', column_comment: 'one line' },
        });
        await command(['rollback']);
        await command(['promote']);
      }
    });
  });

  it('rights that were given or taken since are not undone by a rollback', async (releases) => {
    const { load, query, command } = releases;
    await load(desk(1));
    await withRole(releases, async (role) => {
      await query(`CREATE VIEW ${LIVE}.v AS SELECT id FROM ${LIVE}.tickets;
        GRANT USAGE ON SCHEMA ${LIVE} TO ${role}; GRANT SELECT ON ${LIVE}.comments, ${LIVE}.v TO ${role}`);
      await load(desk(2));
      await query(`REVOKE USAGE ON SCHEMA ${LIVE} FROM ${role}; REVOKE SELECT ON ${LIVE}.comments, ${LIVE}.v FROM ${role};
        GRANT SELECT ON ${LIVE}.tickets TO ${role}`);
      expect((await command(['rollback'])).critical).toEqual([]);
      const [found] = await query(`SELECT has_schema_privilege('${role}', '${LIVE}', 'USAGE') AS schema,
        has_table_privilege('${role}', '${LIVE}.comments', 'SELECT') AS comments, has_table_privilege('${role}', '${LIVE}.v', 'SELECT') AS view,
        has_table_privilege('${role}', '${LIVE}.tickets', 'SELECT') AS tickets`);
      expect(found).toEqual({ schema: 'f', comments: 'f', view: 'f', tickets: 't' });
    });
  });

  it('default privileges that were given or taken since are not undone by a rollback', async (releases) => {
    const { load, query, command } = releases;
    await load(desk(1));
    await withRole(releases, async (role) => {
      const defaults = `ALTER DEFAULT PRIVILEGES IN SCHEMA ${LIVE}`;
      const mayRead = async (...names: readonly string[]) => {
        for (const name of names) await query(`CREATE TABLE ${LIVE}.${name} (id bigint)`);
        return query(
          `SELECT name, has_table_privilege($1, '${LIVE}.' || name, 'SELECT') AS read, has_table_privilege($1, '${LIVE}.' || name, 'INSERT') AS write
           FROM unnest($2::text[]) AS name`,
          [role, names],
        );
      };
      await query(
        `${defaults} GRANT SELECT ON TABLES TO ${role}; ${defaults} GRANT USAGE ON TYPES TO ${role} WITH GRANT OPTION`,
      );
      await load(desk(2));
      await query(`${defaults} REVOKE ALL ON TYPES FROM ${role}; ${defaults} REVOKE SELECT ON TABLES FROM ${role};
        ${defaults} GRANT INSERT ON TABLES TO ${role}`);
      expect((await command(['rollback'])).critical).toEqual([]);
      expect(await mayRead('first')).toEqual([{ name: 'first', read: 'f', write: 't' }]);
      expect(
        await query(`SELECT defaclobjtype AS kind FROM pg_default_acl WHERE defaclnamespace = '${LIVE}'::regnamespace`),
      ).toEqual([{ kind: 'r' }]);
      expect((await command(['promote'])).critical).toEqual([]);
      expect(await mayRead('second')).toEqual([{ name: 'second', read: 'f', write: 't' }]);
    });
  });

  it('views in the live schema and elsewhere, with their rights, over any number of steps', async (releases) => {
    const { load, query, command } = releases;
    await load(desk(1));
    await withRole(releases, async (role) => {
      await query(`CREATE VIEW ${LIVE}.open_tickets AS SELECT id, version FROM ${LIVE}.tickets;
        CREATE SCHEMA reports; CREATE VIEW reports.joined WITH (security_barrier=true) AS
          SELECT t.id, t.version AS t, c.version AS c FROM ${LIVE}.open_tickets t JOIN ${LIVE}.comments c ON c.ticket = t.id;
        CREATE VIEW reports.counted AS SELECT t, c, count(*) AS n FROM reports.joined GROUP BY t, c;
        CREATE VIEW ${LIVE}.back AS SELECT * FROM reports.counted;
        GRANT SELECT ON ${LIVE}.open_tickets, reports.counted TO ${role}; COMMENT ON VIEW ${LIVE}.open_tickets IS 'not closed'`);
      const seen = async (version: string) => {
        for (const view of ['reports.counted', `${LIVE}.back`])
          expect(await query(`SELECT t, c, n FROM ${view}`), view).toEqual([{ t: version, c: version, n: '10' }]);
        const [found] = await query(`SELECT has_table_privilege('${role}', '${LIVE}.open_tickets', 'SELECT') AS open,
          has_table_privilege('${role}', 'reports.counted', 'SELECT') AS counted, obj_description('${LIVE}.open_tickets'::regclass) AS comment,
          (SELECT reloptions::text FROM pg_class WHERE oid = 'reports.joined'::regclass) AS options`);
        expect(found).toEqual({ open: 't', counted: 't', comment: 'not closed', options: '{security_barrier=true}' });
      };
      await load(desk(2));
      await seen('2');
      expect((await command(['rollback'])).critical).toEqual([]);
      await seen('1');
      // Another type: the views are made anew.
      const texts = desk(3)
        .replaceAll('"type":["null","integer"]', '"type":["null","string"]')
        .replaceAll(/("title":"[^"]*","version":)(\d+)/g, '$1"$2"');
      expect((await load(texts)).critical).toEqual([]);
      await seen('3');
    });
  });

  it('tables, columns, functions, types and sequences that only PostgreSQL has', async ({ load, query, command }) => {
    await load(desk(1));
    await query(`CREATE TYPE ${LIVE}.mood AS ENUM ('good', 'bad');
      CREATE TABLE ${LIVE}.sentiment (id serial PRIMARY KEY, ticket bigint, mood ${LIVE}.mood);
      INSERT INTO ${LIVE}.sentiment (ticket, mood) VALUES (1, 'good');
      CREATE FUNCTION ${LIVE}.titles() RETURNS bigint LANGUAGE sql AS 'SELECT count(title) FROM ${LIVE}.tickets';
      CREATE SEQUENCE ${LIVE}.numbers; SELECT nextval('${LIVE}.numbers');
      ALTER TABLE ${LIVE}.tickets ADD COLUMN reviewed boolean NOT NULL DEFAULT false, ADD COLUMN pod text;
      UPDATE ${LIVE}.tickets SET reviewed = true, pod = 'north' WHERE id = 3;
      CREATE INDEX pods ON ${LIVE}.tickets (pod); CREATE INDEX versions ON ${LIVE}.tickets (version) WHERE version > 0`);
    expect((await load(desk(2, 11))).critical).toEqual([]);
    const seen = async () => {
      expect(await query(`SELECT ticket, mood FROM ${LIVE}.sentiment`)).toEqual([{ ticket: '1', mood: 'good' }]);
      expect(await query(`SELECT ${LIVE}.titles() AS n, nextval('${LIVE}.numbers') > 1 AS next`)).toEqual([
        { n: '11', next: 't' },
      ]);
    };
    await seen();
    expect(await query(`SELECT id, version, pod FROM ${LIVE}.tickets WHERE reviewed`)).toEqual([
      { id: '3', version: '2', pod: 'north' },
    ]);
    expect(await query(`SELECT count(*) AS n FROM ${LIVE}.tickets WHERE NOT reviewed AND pod IS NULL`)).toEqual([
      { n: '10' },
    ]);
    expect(
      await query(`SELECT 1 FROM pg_indexes WHERE schemaname = '${LIVE}' AND indexname = 'versions'`),
    ).toHaveLength(1);
    await query(`INSERT INTO ${LIVE}.sentiment (ticket, mood) VALUES (2, 'bad')`);
    await command(['rollback']);
    expect(await query(`SELECT ticket FROM ${LIVE}.sentiment ORDER BY 1`)).toEqual([{ ticket: '1' }, { ticket: '2' }]);
    await command(['promote']);
    expect(await query(`SELECT ticket FROM ${LIVE}.sentiment ORDER BY 1`)).toEqual([{ ticket: '1' }, { ticket: '2' }]);
  });

  it('functions that take or return what moves with them', async ({ load, query, command }) => {
    await load(desk(1));
    await query(`CREATE TYPE ${LIVE}.mood AS ENUM ('good', 'bad'); CREATE DOMAIN ${LIVE}.code AS text;
      CREATE TYPE ${LIVE}.span AS RANGE (subtype = bigint);
      CREATE TABLE ${LIVE}.sentiment (ticket bigint, mood ${LIVE}.mood, during ${LIVE}.span);
      INSERT INTO ${LIVE}.sentiment VALUES (1, 'good', '[1,5)');
      CREATE FUNCTION ${LIVE}.spelled(${LIVE}.mood, ${LIVE}.code[]) RETURNS text LANGUAGE sql AS 'SELECT $1::text';
      CREATE FUNCTION ${LIVE}.mood_of(${LIVE}.sentiment) RETURNS ${LIVE}.mood LANGUAGE sql AS 'SELECT $1.mood';
      CREATE FUNCTION ${LIVE}.later(${LIVE}.mood, ${LIVE}.mood) RETURNS ${LIVE}.mood LANGUAGE sql AS 'SELECT $2';
      CREATE AGGREGATE ${LIVE}.last_mood(${LIVE}.mood) (SFUNC = ${LIVE}.later, STYPE = ${LIVE}.mood);
      CREATE PROCEDURE ${LIVE}.note(${LIVE}.mood) LANGUAGE sql AS 'SELECT 1'`);
    const seen = async (version: string) => {
      expect(
        await query(`SELECT ${LIVE}.spelled(mood, '{}') AS spelled, ${LIVE}.mood_of(s) AS mood, during * ${LIVE}.span(2, 9) AS during,
          (SELECT ${LIVE}.last_mood(mood) FROM ${LIVE}.sentiment) AS last, (SELECT max(version) FROM ${LIVE}.tickets) AS version
          FROM ${LIVE}.sentiment s`),
      ).toEqual([{ spelled: 'good', mood: 'good', during: '[2,5)', last: 'good', version }]);
      await query(`CALL ${LIVE}.note('bad')`);
    };
    expect((await load(desk(2))).critical).toEqual([]);
    await seen('2');
    expect((await command(['rollback'])).critical).toEqual([]);
    await seen('1');
    expect((await command(['promote'])).critical).toEqual([]);
    await seen('2');
    // Nothing of them is left behind, where it would go with the former release.
    expect((await command(['drop'])).critical).toEqual([]);
    await seen('2');
  });

  it('a column that the source no longer has is not one that only PostgreSQL has', async ({ load, query }) => {
    await load(desk(1));
    const without = desk(2)
      .replaceAll(/"title":\{[^}]*\},/g, '')
      .replaceAll('"x-indexes":[["title"]]', '"x-indexes":[]')
      .replaceAll(/"title":"[^"]*",/g, '');
    expect((await load(without)).critical).toEqual([]);
    expect(
      await query(`SELECT attname FROM pg_attribute WHERE attrelid = '${LIVE}.tickets'::regclass AND attnum > 0`),
    ).toEqual([{ attname: 'id' }, { attname: 'version' }]);
  });
});

describe('refused, naming it', () => {
  const REFUSALS: readonly (readonly [what: string, sql: string, named: RegExp])[] = [
    [
      'a materialized view',
      `CREATE MATERIALIZED VIEW ${LIVE}.cached AS SELECT id FROM ${LIVE}.tickets`,
      /materialized view desk.cached/,
    ],
    [
      'a materialized view elsewhere over a view',
      `CREATE VIEW ${LIVE}.v AS SELECT id FROM ${LIVE}.tickets; CREATE MATERIALIZED VIEW public.cached AS SELECT id FROM ${LIVE}.v`,
      /materialized view public.cached/,
    ],
    [
      'a foreign key',
      `CREATE TABLE public.notes (ticket bigint REFERENCES ${LIVE}.tickets)`,
      /constraint notes_ticket_fkey on table public.notes/,
    ],
    [
      'a trigger',
      `CREATE TRIGGER touch BEFORE UPDATE ON ${LIVE}.tickets FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()`,
      /trigger touch on table desk.tickets/,
    ],
    ['a policy', `CREATE POLICY mine ON ${LIVE}.tickets USING (true)`, /policy mine on table desk.tickets/],
    [
      'a check',
      `ALTER TABLE ${LIVE}.tickets ADD CONSTRAINT positive CHECK (id > 0)`,
      /constraint positive on table desk.tickets/,
    ],
    [
      'a function of the row type',
      `CREATE FUNCTION public.shout(${LIVE}.tickets) RETURNS text LANGUAGE sql AS 'SELECT upper($1.title)'`,
      /function public.shout\(desk.tickets\)/,
    ],
    [
      'a column that makes its own values',
      `ALTER TABLE ${LIVE}.tickets ADD COLUMN number serial`,
      /column number of table tickets/,
    ],
    ['a publication', `CREATE PUBLICATION changes FOR TABLE ${LIVE}.tickets`, /publication changes/],
    [
      'a text search dictionary',
      `CREATE TEXT SEARCH DICTIONARY ${LIVE}.plain (TEMPLATE = simple)`,
      /text search dictionary desk.plain/,
    ],
  ];
  test.each(REFUSALS)('%s', (_what, sql, named) =>
    withReleases(async ({ load, query, versions, told, command }) => {
      await load(desk(1));
      await query(sql);
      const { code, states, critical } = await load(desk(2));
      expect([code, states]).toEqual([1, []]);
      expect(critical[0]?.message).toMatch(named);
      expect(critical[0]?.message).toMatch(/cannot be carried over — drop those objects/);
      expect(await versions('tickets')).toEqual(['1']);
      expect((await told())[0]).toMatchObject({ status: 'waiting', note: expect.stringMatching(named) });
      expect((await command(['promote'])).code).toBe(1);
    }),
  );

  it('what belongs to somebody else', async (releases) => {
    const { query, destination, load } = releases;
    await load(desk(1));
    await withRole(releases, async (role) => {
      await query(`CREATE TABLE ${LIVE}.theirs (id bigint); ALTER TABLE ${LIVE}.theirs OWNER TO ${role}`);
      const loader = `loader_${randomBytes(4).toString('hex')}`;
      const password = randomBytes(8).toString('hex');
      const [{ name } = { name: '' }] = await query<{ name: string }>('SELECT current_database() AS name');
      await query(`CREATE ROLE ${loader} LOGIN PASSWORD '${password}'; GRANT CREATE ON DATABASE "${name}" TO ${loader};
        ALTER SCHEMA ${LIVE} OWNER TO ${loader}; ALTER TABLE ${LIVE}.tickets OWNER TO ${loader}; ALTER TABLE ${LIVE}.comments OWNER TO ${loader};
        ALTER SCHEMA _tapworks OWNER TO ${loader}; ALTER TABLE _tapworks.releases OWNER TO ${loader}`);
      try {
        const url = new URL(destination.url);
        [url.username, url.password] = [loader, password];
        const { code, critical } = await load(desk(2), { settings: { url: url.href } });
        expect([code, critical[0]?.message]).toEqual([
          1,
          expect.stringContaining(`theirs, which belongs to the role ${role}`),
        ]);
        await query(`DROP TABLE ${LIVE}.theirs`);
        expect((await load(desk(3), { settings: { url: url.href } })).critical).toEqual([]);
      } finally {
        await query(`DROP OWNED BY ${loader} CASCADE`);
        await query(`DROP ROLE ${loader}`);
      }
    });
  });

  it('after what stood in the way is gone, promote makes the waiting release live', async ({
    load,
    query,
    command,
    versions,
  }) => {
    await load(desk(1));
    await query(`CREATE MATERIALIZED VIEW public.cached AS SELECT id FROM ${LIVE}.tickets`);
    await load(desk(2), { settings: { state_table: 'tap_states', state_key: 'desk' } });
    await query('DROP MATERIALIZED VIEW public.cached');
    expect((await command(['promote'])).code).toBe(0);
    expect(await versions('tickets')).toEqual(['2']);
    expect((await command(['state'], { state_table: 'tap_states', state_key: 'desk' })).states).toEqual([
      '{"version":2}',
    ]);
  });

  it('a view that reads what the release does not have', async ({ load, query, versions }) => {
    await load(desk(1));
    await query(`CREATE SCHEMA reports; CREATE VIEW reports.titles AS SELECT title FROM ${LIVE}.tickets`);
    const without = desk(2).replaceAll('"title"', '"headline"');
    const { code, critical } = await load(without);
    expect([code, critical[0]?.message]).toEqual([
      1,
      expect.stringMatching(/view "reports"."titles" does not fit its tables: column tickets.title does not exist/),
    ]);
    expect(await versions('tickets')).toEqual(['1']);
  });
});
