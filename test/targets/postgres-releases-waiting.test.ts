/** The switch, plain loads and readers wait for each other as little as possible, and never for ever. */
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import type { Loading, Outcome } from '../contract/target/load.ts';
import { desk, LIVE, type Releases, withReleases } from './postgres-releases.ts';

const it = (name: string, body: (releases: Releases) => Promise<void>) => test(name, () => withReleases(body));

/** Resolves once a statement waits for a lock. */
async function waitsForLock(query: Releases['query']): Promise<void> {
  const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  while ((await query(waiting)).length === 0);
}

/** Ends the input, and lets time pass whenever the run waits for it. */
async function untilEnded(loading: Loading): Promise<Outcome> {
  let over = false;
  const done = loading.finish().finally(() => {
    over = true;
  });
  while (!over) {
    await Promise.race([done, loading.clock.asleep()]);
    loading.clock.advance(10_000);
  }
  return done;
}

describe('waiting for others', () => {
  it('a reader of a table that has to move delays the switch; the load goes on when it ends', async ({
    load,
    begin,
    query,
    destination,
    versions,
  }) => {
    await load(desk(1));
    await query(`CREATE TABLE ${LIVE}.mine (id bigint)`);
    const reader = new pg.Client({ connectionString: destination.url });
    await reader.connect();
    await reader.query(`BEGIN; SELECT * FROM ${LIVE}.mine`);
    const loading = await begin();
    loading.send(desk(2));
    await loading.stdin.idle();
    const done = untilEnded(loading);
    await waitsForLock(query);
    expect(await versions('tickets')).toEqual(['1']);
    await reader.query('COMMIT');
    expect((await done).code).toBe(0);
    expect(await versions('tickets')).toEqual(['2']);
    await reader.end();
  });

  it('in the end it is given up, the release waits, and promote makes it live', async ({
    load,
    begin,
    query,
    destination,
    versions,
    told,
    command,
  }) => {
    await load(desk(1));
    await query(`CREATE TABLE ${LIVE}.mine (id bigint)`);
    const reader = new pg.Client({ connectionString: destination.url });
    await reader.connect();
    await reader.query(`BEGIN; SELECT * FROM ${LIVE}.mine`);
    const loading = await begin({ settings: { lock_timeout_seconds: 8 } });
    loading.send(desk(2));
    const { code, states, critical } = await untilEnded(loading);
    expect([code, states]).toEqual([1, []]);
    expect(critical[0]?.message).toMatch(/could not take the place of schema "desk": .*stayed locked/);
    await reader.end();
    expect(await versions('tickets')).toEqual(['1']);
    expect((await told())[0]?.status).toBe('waiting');
    expect((await command(['promote'])).code).toBe(0);
    expect(await versions('tickets')).toEqual(['2']);
  });

  it('a plain load of the same schema and the switch take turns', async ({ load, begin, versions, query }) => {
    await load(desk(1));
    const plain = await begin({ settings: { release: 'direct', batch_rows: 1_000 } });
    const notes = desk(7).replaceAll('"tickets"', '"notes"').replaceAll('"comments"', '"remarks"');
    const [schemas, records] = [notes.split('\n').slice(0, 2), notes.split('\n').slice(2)].map((all) => all.join('\n'));
    plain.send(`${schemas}\n`);
    await plain.stdin.idle();
    expect((await load(desk(2))).code).toBe(0);
    plain.send(records ?? '');
    expect((await plain.finish()).critical).toEqual([]);
    expect(await versions('notes')).toEqual(['7']);
    expect((await load(desk(3))).code).toBe(0);
    for (const table of ['notes', 'remarks']) expect(await versions(table)).toEqual(['7']);
    expect(await versions('tickets')).toEqual(['3']);
    expect(await query(`SELECT 1 FROM ${LIVE}.notes`)).toHaveLength(10);
  });

  it('somebody who switched by hand meanwhile is not undone', async ({ load, begin, query, versions, told }) => {
    await load(desk(1));
    const loading = await begin();
    loading.send(desk(2));
    await loading.stdin.idle();
    await query(
      `ALTER SCHEMA ${LIVE} RENAME TO away; CREATE SCHEMA ${LIVE}; CREATE TABLE ${LIVE}.tickets (version bigint); INSERT INTO ${LIVE}.tickets VALUES (7)`,
    );
    const { code, critical } = await loading.finish();
    expect([code, critical[0]?.message]).toEqual([
      1,
      expect.stringMatching(/is not the one that was there when this program began/),
    ]);
    expect(await versions('tickets')).toEqual(['7']);
    expect((await told())[0]?.status).toBe('waiting');
  });

  it('an old release that is still read from is dropped by a later run', async ({ load, destination, told }) => {
    for (const version of [1, 2]) await load(desk(version), { settings: { keep_releases: 1 } });
    const reader = new pg.Client({ connectionString: destination.url });
    await reader.connect();
    await reader.query(`BEGIN; SELECT * FROM "${(await told())[1]?.release}".tickets`);
    const { code, logs } = await load(desk(3), { settings: { keep_releases: 1 } });
    expect(code).toBe(0);
    expect(logs.find(({ event_type: event }) => event === 'release_kept')?.message).toMatch(
      /somebody still reads from it/,
    );
    await reader.end();
    await load(desk(4), { settings: { keep_releases: 1 } });
    expect((await told()).map(({ status }) => status)).toEqual(['live', 'superseded', 'dropped', 'dropped']);
  });
});
