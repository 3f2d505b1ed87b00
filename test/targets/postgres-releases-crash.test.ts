/** What is left when the target, or its connection, ends in the middle: the live schema is whole, and the next run cleans up. */
import pg from 'pg';
import { expect, test } from 'vitest';
import { startRelease } from './postgres-release-process.ts';
import { desk, LIVE, type Releases, withReleases } from './postgres-releases.ts';

const it = (name: string, body: (releases: Releases) => Promise<void>) => test(name, () => withReleases(body));

const SCHEMAS = `SELECT nspname FROM pg_namespace WHERE nspname LIKE '${LIVE}%' ORDER BY 1`;

/** Resolves once the statement has a row. */
async function until({ query }: Releases, sql: string): Promise<void> {
  while ((await query(sql)).length === 0);
}

const COPYING = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY "${LIVE}_v%' AND application_name LIKE 'tapworks%'`;
const WAITING = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
const LOADED = `SELECT 1 FROM _tapworks.releases WHERE status = 'loaded'`;

/** A table that has to move, and somebody who reads from it: the switch must wait. */
async function heldSwitch(releases: Releases, body: () => Promise<void>): Promise<void> {
  await releases.query(`CREATE TABLE ${LIVE}.mine (id bigint)`);
  const reader = new pg.Client({ connectionString: releases.destination.url });
  await reader.connect();
  await reader.query(`BEGIN; SELECT * FROM ${LIVE}.mine`);
  try {
    await body();
  } finally {
    await reader.end();
  }
}

it('killed while rows come: nothing of the release is left', async (releases) => {
  const { load, query, versions, destination } = releases;
  await load(desk(1));
  const { child, ended } = startRelease(destination.url, { batch_rows: 1 });
  child.stdin.write(desk(2).replace(/\{"type":"STATE".*/, ''));
  await until(releases, COPYING);
  child.kill('SIGKILL');
  expect((await ended).stdout).toBe('');
  await until(releases, `SELECT 1 WHERE NOT EXISTS (${COPYING})`);
  expect(await query(SCHEMAS)).toEqual([{ nspname: LIVE }]);
  expect(await versions('tickets')).toEqual(['1']);
  expect((await load(desk(3))).code).toBe(0);
  expect(await versions('tickets')).toEqual(['3']);
});

it('killed between the load and the switch: the next run drops what was left', async (releases) => {
  const { load, query, versions, destination, told } = releases;
  await load(desk(1));
  await heldSwitch(releases, async () => {
    const { child, ended } = startRelease(destination.url);
    child.stdin.end(desk(2));
    await until(releases, LOADED);
    await until(releases, WAITING);
    child.kill('SIGKILL');
    expect((await ended).stdout).toBe('');
    await until(releases, `SELECT 1 WHERE NOT EXISTS (${WAITING})`);
  });
  expect((await told()).map(({ status }) => status)).toEqual(['loaded', 'live']);
  expect(await versions('tickets')).toEqual(['1']);
  const { code, logs } = await load(desk(3));
  expect(code).toBe(0);
  expect(logs.some(({ event_type: event }) => event === 'release_abandoned')).toBe(true);
  expect((await told()).map(({ status }) => status)).toEqual(['live', 'dropped', 'superseded']);
  expect(await query(SCHEMAS)).toHaveLength(2);
});

it('killed after the switch, before the state went out: the release is live, and loading again is harmless', async (releases) => {
  const { load, versions, destination, told } = releases;
  for (const version of [1, 2]) await load(desk(version));
  const [, former] = await told();
  const reader = new pg.Client({ connectionString: destination.url });
  await reader.connect();
  await reader.query(`BEGIN; SELECT * FROM "${former?.release}".tickets`);
  const { child, ended } = startRelease(destination.url, { keep_releases: 1 });
  child.stdin.end(desk(3));
  // The old release cannot be dropped yet, which comes between the switch and the state.
  await until(releases, WAITING);
  child.kill('SIGKILL');
  expect((await ended).stdout).toBe('');
  await reader.end();
  expect(await versions('tickets')).toEqual(['3']);
  expect((await told())[0]).toMatchObject({ status: 'live', schema: LIVE });
  const { code, states } = await load(desk(3), { settings: { keep_releases: 1 } });
  expect([code, states]).toEqual([0, ['{"version":3}']]);
  expect((await told()).map(({ status }) => status)).toEqual(['live', 'superseded', 'dropped', 'dropped']);
});

it('a connection that is cut in the switch leaves everything as it was', async (releases) => {
  const { load, query, versions, destination, told } = releases;
  await load(desk(1));
  await heldSwitch(releases, async () => {
    const { child, ended } = startRelease(destination.url);
    child.stdin.end(desk(2));
    await until(releases, LOADED);
    await until(
      releases,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    const { code, stdout, stderr } = await ended;
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/the server ended the connection|the connection was lost/);
  });
  expect(await versions('tickets')).toEqual(['1']);
  expect(await query(`SELECT 1 FROM ${LIVE}.mine`)).toEqual([]);
  expect((await load(desk(3))).code).toBe(0);
  expect((await told()).map(({ status }) => status)).toEqual(['live', 'dropped', 'superseded']);
});

it('SIGTERM while rows come ends cleanly, with nothing left', async (releases) => {
  const { load, query, destination } = releases;
  await load(desk(1));
  const { child, ended } = startRelease(destination.url, { batch_rows: 1 });
  child.stdin.write(desk(2));
  await until(releases, COPYING);
  child.kill('SIGTERM');
  const { code, stdout } = await ended;
  expect([code, stdout]).toEqual([143, '']);
  expect(await query(SCHEMAS)).toEqual([{ nspname: LIVE }]);
});
