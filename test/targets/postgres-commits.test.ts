/**
 * Every COMMIT of a load, lost on its way to the server, and done but its answer lost on the way back: the state that the
 * database keeps and the rows before it are there together or not at all.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { target } from '../../targets/postgres/target.ts';
import { load } from '../contract/target/load.ts';
import { openProxy, type TcpProxy } from '../postgres/proxy.ts';
import { openPostgres, type PostgresDestination } from './postgres.ts';

let destination: PostgresDestination;
let proxy: TcpProxy;

beforeAll(async () => {
  destination = await openPostgres();
  proxy = await openProxy(destination.url);
});

afterAll(async () => {
  await proxy?.close();
  await destination?.close();
});

beforeEach(() => destination.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public'));

const RECORDS = 10;
const VERSION = 7;

/** Records behind a state, one with a key and one without for each number, and a state after each. */
function input(from: number): unknown[] {
  const schema = (stream: string, key: readonly string[]) => ({
    type: 'SCHEMA',
    stream,
    key_properties: key,
    schema: { properties: { n: { type: 'integer' } } },
  });
  const rest = Array.from({ length: RECORDS - from }, (_, place) => from + 1 + place).flatMap((n) => [
    { type: 'RECORD', stream: 'keyed', record: { n }, version: VERSION },
    { type: 'RECORD', stream: 'log', record: { n } },
    { type: 'STATE', value: { n } },
  ]);
  return [
    schema('keyed', ['n']),
    schema('log', []),
    ...rest,
    { type: 'ACTIVATE_VERSION', stream: 'keyed', version: VERSION },
  ];
}

const numbers = async (table: string) =>
  (await destination.tables()).includes(table)
    ? (await destination.query(`SELECT n FROM ${table} ORDER BY n`)).map(({ n }) => Number(n))
    : [];

async function stored(): Promise<number> {
  if (!(await destination.tables()).includes('states')) return 0;
  const [row] = await destination.query('SELECT state FROM states');
  return (JSON.parse(row?.state ?? '{"n":0}') as { n: number }).n;
}

const upTo = (count: number) => Array.from({ length: count }, (_, place) => place + 1);

/** Loads while the COMMIT of this number is lost on one side. */
async function broken(from: 'client' | 'server', commit: number) {
  let seen = 0;
  proxy.cutWhen((bytes, side) => {
    if (side !== from || !bytes.includes('COMMIT')) return false;
    seen += 1;
    return seen === commit;
  });
  const settings = { url: proxy.url, batch_rows: 4, state_table: 'states', state_key: 'k' };
  const outcome = await load(target, destination, input(0), { settings });
  proxy.cutWhen(() => false);
  await expect
    .poll(() =>
      destination.query(
        "SELECT 1 FROM pg_stat_activity WHERE application_name = 'tapworks target-postgres' AND datname = current_database()",
      ),
    )
    .toEqual([]);
  return outcome;
}

describe.each([
  ['lost on its way there', 'client'],
  ['done, and its answer lost', 'server'],
] as const)('a COMMIT that is %s', (_what, from) => {
  it('leaves the state that its rows make true', async () => {
    let broke = 0;
    for (let commit = 1; ; commit += 1) {
      await destination.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
      const { code, states, critical } = await broken(from, commit);
      if (code === 0) break;
      broke += 1;
      const place = `commit ${commit}`;
      expect([place, code]).toEqual([place, 1]);
      expect(critical.map(({ message }) => message)).toEqual([
        expect.stringMatching(/the connection was lost — run again with the last state/),
      ]);
      const [state, keyed, log] = [await stored(), await numbers('keyed'), await numbers('log')];
      const told = Number((JSON.parse(states.at(-1) ?? '{"n":0}') as { n: number }).n);
      expect(told, place).toBeLessThanOrEqual(state);
      expect(keyed, place).toEqual(upTo(keyed.length));
      expect(log, place).toEqual(upTo(log.length));
      // A full batch is committed before the state that follows its last record has come.
      expect([log.length, Math.max(0, log.length - 1)], place).toContain(state);
      expect(keyed.length, place).toBe(log.length);

      const settings = { state_table: 'states', state_key: 'k' };
      expect(await load(target, destination, input(state), { settings })).toMatchObject({ code: 0, critical: [] });
      expect([await stored(), await numbers('keyed')], place).toEqual([RECORDS, upTo(RECORDS)]);
      const again = await numbers('log');
      expect([...new Set(again)], place).toEqual(upTo(RECORDS));
      expect(again.length, place).toBe(RECORDS + log.length - state);
    }
    expect(broke).toBeGreaterThan(5);
  });
});
