/** release: blue_green — a whole load beside the live schema, checked, then live in one moment. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { type LoadOptions, lines, messages } from '../contract/target/load.ts';
import { overwriteCases } from '../contract/target/overwrite.ts';
import { desk, LIVE, type Releases, TICKETS, withReleases } from './postgres-releases.ts';

const it = (name: string, body: (releases: Releases) => Promise<void>) => test(name, () => withReleases(body));

const ticket = (id: number, more: object = {}) => ({ type: 'RECORD', stream: 'tickets', record: { id, ...more } });
const state = (n: number) => ({ type: 'STATE', value: { n } });

describe('a release', () => {
  it('becomes live with its key, its indexes and its statistics, and its state goes out then', async ({
    load,
    query,
    told,
    versions,
  }) => {
    expect(await load(desk(1))).toMatchObject({ code: 0, states: ['{"version":1}'] });
    const { code, states } = await load(desk(2));
    expect([code, states]).toEqual([0, ['{"version":2}']]);
    expect(await versions('tickets')).toEqual(['2']);
    const releases = await told();
    expect(releases.map(({ status }) => status)).toEqual(['live', 'superseded']);
    expect(await versions('comments', releases[1]?.release)).toEqual(['1']);
    const [found] = await query(
      `SELECT (SELECT count(*) FROM pg_index WHERE indrelid = '${LIVE}.tickets'::regclass AND indisprimary) AS keys,
       (SELECT count(*) FROM pg_index WHERE indrelid = '${LIVE}.tickets'::regclass AND NOT indisunique) AS indexes,
       (SELECT reltuples FROM pg_class WHERE oid = '${LIVE}.tickets'::regclass) AS rows`,
    );
    expect(found).toEqual({ keys: '1', indexes: '1', rows: '10' });
  });

  it('is named from the live schema, the time and the run, in 63 bytes', async ({ load, told, query }) => {
    const schema = `${'ä'.repeat(30)}_x`;
    const settings = { default_target_schema: schema };
    for (const version of [1, 2]) expect((await load(desk(version), { settings })).code).toBe(0);
    expect(await told()).toEqual([]);
    const names = await query<{ nspname: string }>(
      `SELECT nspname FROM pg_namespace WHERE nspname LIKE 'ä%' ORDER BY 1`,
    );
    expect(names).toHaveLength(2);
    for (const { nspname } of names) expect(Buffer.byteLength(nspname)).toBeLessThanOrEqual(63);
    expect(names.filter(({ nspname }) => /^ä+_[0-9a-f]{8}_v20260131_060000_[0-9a-f]{8}$/.test(nspname))).toHaveLength(
      1,
    );
  });

  it('is invisible until it is live, and no state goes out before', async ({ begin, load, query, versions }) => {
    await load(desk(1));
    const loading = await begin({ settings: { batch_rows: 1 } });
    loading.send(desk(2));
    await loading.stdin.idle();
    expect(loading.stdout.text).toBe('');
    expect(await versions('tickets')).toEqual(['1']);
    expect(await query(`SELECT nspname FROM pg_namespace WHERE nspname LIKE '${LIVE}%'`)).toHaveLength(1);
    expect((await loading.finish()).states).toEqual(['{"version":2}']);
    expect(await versions('tickets')).toEqual(['2']);
  });

  it('keeps of several records of one key the last, frozen like all others', async ({ load, query, destination }) => {
    await load(desk(1));
    const older = new pg.Client({ connectionString: destination.url });
    await older.connect();
    await older.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await older.query('SELECT 1 FROM pg_class LIMIT 1');
    const { logs } = await load(desk(2) + lines(ticket(3, { title: 'again' }), ticket(3, { title: 'last' }), state(1)));
    expect(logs.filter(({ event_type: event }) => event === 'release_table').map(({ rows }) => rows)).toEqual([10, 10]);
    expect(await query(`SELECT title FROM ${LIVE}.tickets WHERE id = 3`)).toEqual([{ title: 'last' }]);
    for (const table of ['tickets', 'comments']) {
      const seen = await older.query(`SELECT count(*)::int AS rows FROM ${LIVE}.${table}`);
      expect(seen.rows, table).toEqual([{ rows: 10 }]);
    }
    await older.end();
  });

  it('takes marks, deletions, versions and new columns on the way', async ({ load, query }) => {
    const gone = { _sdc_deleted_at: '2026-01-01T00:00:00Z' };
    const widened = { ...TICKETS, schema: { properties: { ...TICKETS.schema.properties, extra: { type: 'string' } } } };
    const input = lines(
      TICKETS,
      ticket(1, { title: 'one' }),
      ticket(2, { title: 'two' }),
      ticket(1, gone),
      widened,
      ticket(3, { title: 'three', extra: 'new' }),
      ticket(3, { title: 'newer', extra: 'new' }),
      state(1),
    );
    expect((await load(input)).code).toBe(0);
    const columns = 'id, title, extra, _sdc_deleted_at IS NOT NULL AS gone';
    expect(await query(`SELECT ${columns} FROM ${LIVE}.tickets ORDER BY id`)).toEqual([
      { id: '1', title: 'one', extra: null, gone: 't' },
      { id: '2', title: 'two', extra: null, gone: 'f' },
      { id: '3', title: 'newer', extra: 'new', gone: 'f' },
    ]);
    expect((await load(input, { settings: { hard_delete: true, allow_shrink: true } })).code).toBe(0);
    expect(await query(`SELECT id FROM ${LIVE}.tickets ORDER BY id`)).toEqual([{ id: '2' }, { id: '3' }]);
    for (const name of [
      'version_partly_loaded',
      'version_milliseconds',
      'added_columns',
      'too_wide_numbers',
      'type_changed',
    ])
      expect((await load(await messages(name), { settings: { allow_shrink: true } })).critical, name).toEqual([]);
  });

  it('keeps records that were set aside, those of earlier releases too', async ({ load, query }) => {
    const settings = { on_invalid_record: 'quarantine' };
    const input = (id: number) => lines(TICKETS, ticket(1), ticket(id, { title: 5 }), state(1));
    for (const id of [7, 8]) expect((await load(input(id), { settings })).code).toBe(2);
    expect(await query(`SELECT line FROM ${LIVE}._tapworks_rejects`)).toEqual([{ line: '3' }, { line: '3' }]);
    expect(await query(`SELECT id FROM ${LIVE}.tickets`)).toEqual([{ id: '1' }]);
  });

  it('stores the state with its rows, and brings it back with them', async ({ load, command }) => {
    const settings = { state_table: 'tap_states', state_key: 'desk' };
    for (const version of [1, 2]) await load(desk(version), { settings });
    expect((await command(['state'], settings)).states).toEqual(['{"version":2}']);
    expect((await command(['rollback'], settings)).code).toBe(0);
    expect((await command(['state'], settings)).states).toEqual(['{"version":1}']);
  });

  it('takes turns: a second run is refused at once', async ({ begin, load }) => {
    const loading = await begin();
    loading.send(desk(1));
    await loading.stdin.idle();
    const { code, critical } = await load(desk(2));
    expect([code, critical[0]?.message]).toEqual([1, expect.stringMatching(/another program works on the releases/)]);
    expect((await loading.finish()).code).toBe(0);
  });

  it('cannot be made where its books are', async ({ load }) => {
    const { code, critical } = await load(desk(1), { settings: { default_target_schema: '_tapworks' } });
    expect([code, critical[0]?.message]).toEqual([1, expect.stringMatching(/keeps the books of releases/)]);
  });

  it('of an input without streams changes nothing', async ({ load, told }) => {
    expect(await load(lines(state(1)))).toMatchObject({ code: 0, states: ['{"n":1}'] });
    expect(await told()).toEqual([]);
  });
});

describe('overwriting, by releases', () => {
  // A release holds what its run brings; and the second of two loads is refused.
  const EXCUSED = ['tables of other streams stay', 'of two loads at once one leaves its rows whole, whichever is last'];
  for (const [name, run] of Object.entries(overwriteCases)) {
    if (EXCUSED.includes(name)) continue;
    test(name, () =>
      withReleases(async ({ destination, load, begin, command }) => {
        // What was there before was loaded directly.
        const asRelease = ({ settings, ...options }: LoadOptions = {}): LoadOptions => ({
          ...options,
          settings: {
            ...{ default_target_schema: 'public', allow_shrink: true, ...settings },
            ...(settings?.load_method !== 'overwrite' && { release: 'direct' }),
          },
        });
        const scene = {
          destination,
          load: (input: string | readonly unknown[], options?: LoadOptions) =>
            load(typeof input === 'string' ? input : lines(...input), asRelease(options)),
          begin: (options?: LoadOptions) => begin(asRelease(options)),
          ask: command,
          fresh: () => Promise.reject(new Error('not here')),
        };
        await run(scene);
      }),
    );
  }
});

describe('what a release must pass', () => {
  it('no table may lose more than a tenth of its rows', async ({ load, told, versions, command }) => {
    await load(desk(1, 20));
    const { code, states, critical } = await load(desk(2, 17));
    expect([code, states]).toEqual([3, []]);
    expect(critical[0]?.message).toMatch(/table tickets has 17 rows, the live one 20/);
    expect(await versions('tickets')).toEqual(['1']);
    const [refused] = await told();
    expect(refused).toMatchObject({ status: 'refused', note: expect.stringMatching(/17 rows/) });
    expect((await load(desk(3, 18))).code).toBe(0);
    expect((await load(desk(4, 1), { settings: { allow_shrink: true } })).code).toBe(0);
    expect(await versions('tickets')).toEqual(['4']);
    expect((await command(['promote', refused?.release ?? ''])).code).toBe(0);
    expect(await versions('tickets')).toEqual(['2']);
  });

  it('a table that is missing is a table that lost its rows', async ({ load }) => {
    await load(desk(1));
    const { code, critical } = await load(
      lines(TICKETS, ...Array.from({ length: 10 }, (_, id) => ticket(id)), state(1)),
    );
    expect([code, critical[0]?.message]).toEqual([
      3,
      expect.stringMatching(/table comments has 0 rows, the live one 10/),
    ]);
  });

  it("the user's questions: no row, or a true", async ({ load, told, versions }) => {
    const folder = await mkdtemp(join(tmpdir(), 'tapworks-checks-'));
    const settings = { release_checks: [folder] };
    const write = (name: string, sql: string) => writeFile(join(folder, name), sql);
    try {
      await write(
        'orphans.sql',
        'SELECT c.id FROM comments c LEFT JOIN tickets t ON t.id = c.ticket WHERE t.id IS NULL;\n',
      );
      await write('enough.sql', 'SELECT count(*) >= 10 FROM tickets');
      await write('notes.txt', 'not a check');
      expect((await load(desk(1), { settings })).code).toBe(0);
      await write('orphans.sql', 'SELECT id FROM tickets WHERE version = 2');
      await write('enough.sql', `SELECT count(*) > 100 FROM tickets`);
      await write('wrong.sql', 'SELECT nothing FROM tickets');
      await write('writes.sql', 'DELETE FROM tickets');
      const { code, critical } = await load(desk(2), { settings });
      expect(code).toBe(3);
      expect(critical[0]?.message).toMatch(
        /check enough.sql says no; check orphans.sql found 10 rows; check w.*cannot be run: .*; check w.*cannot be run/,
      );
      expect(await versions('tickets')).toEqual(['1']);
      expect((await told()).map(({ status }) => status)).toEqual(['refused', 'live']);
      await load(desk(3), { settings });
      expect((await told()).map(({ status }) => status)).toEqual(['refused', 'dropped', 'live']);
      expect(
        (await load(desk(3), { settings: { release_checks: [join(folder, 'none.sql')] } })).critical[0]?.message,
      ).toMatch(/setting release_checks: cannot read/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('commands', () => {
  it('rollback brings the release before back, promote the newest again', async ({ load, command, versions, told }) => {
    for (const version of [1, 2, 3]) await load(desk(version));
    expect((await command(['rollback'])).states[0]).toMatch(/is live as schema "desk"/);
    expect(await versions('tickets')).toEqual(['2']);
    expect((await told()).map(({ status }) => status)).toEqual(['rolled_back', 'live', 'superseded']);
    await command(['rollback']);
    expect(await versions('tickets')).toEqual(['1']);
    const { code, critical } = await command(['rollback']);
    expect([code, critical[0]?.message]).toEqual([1, expect.stringMatching(/there was none/)]);
    expect(JSON.parse((await command(['promote', '--json'])).states[0] ?? '')).toMatchObject({ status: 'live' });
    expect(await versions('tickets')).toEqual(['3']);
  });

  it('keep_releases says how many former ones stay; drop takes the oldest', async ({ load, command, told }) => {
    for (const version of [1, 2, 3, 4]) await load(desk(version), { settings: { keep_releases: 2 } });
    const statuses = async () => (await told()).map(({ status }) => status);
    expect(await statuses()).toEqual(['live', 'superseded', 'superseded', 'dropped']);
    expect((await command(['drop'])).code).toBe(0);
    expect(await statuses()).toEqual(['live', 'superseded', 'dropped', 'dropped']);
    const [live] = await told();
    const { code, critical } = await command(['drop', live?.release ?? '']);
    expect([code, critical[0]?.message]).toEqual([1, expect.stringMatching(/is live/)]);
  });

  it('an unknown release, an unknown flag, nothing to do', async ({ command, load }) => {
    expect((await command(['releases'])).states).toEqual(['schema "desk" has no releases']);
    const said = async (...words: string[]) => (await command(words)).critical[0]?.message;
    expect(await said('promote')).toMatch(/there is no release to promote/);
    expect(await said('drop')).toMatch(/no former release/);
    await load(desk(1));
    expect(await said('promote', 'desk_v1')).toMatch(/has no release "desk_v1"/);
    expect(await said('drop', '--jsom')).toMatch(/unknown flag/);
    expect((await command(['promote', '--help'])).states.join('\n')).toMatch(/\[RELEASE\]/);
    expect((await command(['--help'])).states.join('\n')).toMatch(/rollback --config FILE/);
  });

  it('a release that was live before any load can be brought back', async ({
    query,
    load,
    command,
    versions,
    told,
  }) => {
    await query(`CREATE SCHEMA ${LIVE}; CREATE TABLE ${LIVE}.tickets (id bigint PRIMARY KEY, version bigint)`);
    await query(`INSERT INTO ${LIVE}.tickets VALUES (1, 0)`);
    await load(desk(1));
    expect(await versions('tickets')).toEqual(['1']);
    expect((await command(['rollback'])).code).toBe(0);
    expect(await versions('tickets')).toEqual(['0']);
    expect((await told()).map(({ status }) => status)).toEqual(['rolled_back', 'live']);
  });
});
