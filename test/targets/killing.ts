/**
 * Kills target-sqlite (`kill -9`) at random moments of a load and starts it again from the state that it had confirmed.
 * After each kill the table must be what some whole number of committed records leaves, never fewer than were confirmed.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { createInterface } from 'node:readline';
import { lines } from '../contract/target/load.ts';
import { random } from '../pipe/killing.ts';
import { openSqlite, type SqliteDestination } from './sqlite.ts';

const TARGET = join(import.meta.dirname, '../../bin/target-sqlite.ts');
const RECORDS = 4_000;
const KEYS = 900;
const STATE_EVERY = 40;
const BATCH_ROWS = 100;
const FORMER = 1_769_839_200;
const PRESENT = 1_769_925_600;

const SCHEMA = {
  type: 'SCHEMA',
  stream: 'users',
  schema: { properties: { id: { type: 'integer' }, seq: { type: 'integer' }, name: { type: ['null', 'string'] } } },
  key_properties: ['id'],
};

interface Told {
  readonly id: number;
  readonly seq: number;
}

/** The record at a place of the stream: most keys come several times, some of the former reading never again. */
function told(seq: number): Told {
  return { id: (seq * 7) % KEYS, seq };
}

const record = ({ id, seq }: Told, version: number) => ({
  type: 'RECORD',
  stream: 'users',
  record: { id, seq, name: seq % 5 === 0 ? null : `user ${id} ${'x'.repeat(seq % 40)}` },
  version,
});

/** Messages behind the record `from`, as a tap would send them again from a state. */
function messagesFrom(from: number): string {
  const rest: unknown[] = [SCHEMA];
  for (let seq = from + 1; seq <= RECORDS; seq += 1) {
    rest.push(record(told(seq), PRESENT));
    if (seq % STATE_EVERY === 0) rest.push({ type: 'STATE', value: { seq } });
  }
  rest.push(
    { type: 'ACTIVATE_VERSION', stream: 'users', version: PRESENT },
    { type: 'STATE', value: { seq: RECORDS + 1 } },
  );
  return lines(...rest);
}

/** Rows of the former reading: every second key, and some that have gone. */
const formerRows = Array.from({ length: KEYS + 200 }, (_, id) => ({ id, seq: 0 })).filter(({ id }) => id % 2 === 0);

interface Run {
  /** The number of states on stdout. */
  readonly states: number;
  readonly killed: boolean;
}

function run(
  destination: SqliteDestination,
  input: string,
  killAt: { states: number; delay: number } | undefined,
): Promise<Run> {
  const at = (name: string) => join(destination.folder, name);
  writeFileSync(at('input.jsonl'), input);
  writeFileSync(at('config.json'), JSON.stringify({ database: destination.path, batch_rows: BATCH_ROWS }));
  const words = ['--config', at('config.json'), '--input', at('input.jsonl'), '--state-file', at('state.json')];
  return new Promise((resolve, reject) => {
    const child = spawn(execPath, [TARGET, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    let states = 0;
    let errors = '';
    const aim = () => {
      if (killAt !== undefined && states === killAt.states) setTimeout(() => child.kill('SIGKILL'), killAt.delay);
    };
    aim();
    createInterface({ input: child.stdout }).on('line', () => {
      states += 1;
      aim();
    });
    child.stderr.on('data', (data) => {
      errors += String(data);
    });
    child.on('close', (code, signal) => {
      if (signal !== 'SIGKILL' && code !== 0) reject(new Error(`target-sqlite ended with ${code}: ${errors}`));
      else resolve({ states, killed: signal === 'SIGKILL' });
    });
  });
}

type Table = ReadonlyMap<number, string>;

function tableOf(destination: SqliteDestination): Table {
  if (destination.query("SELECT 1 FROM sqlite_master WHERE name = 'users'").length === 0) return new Map();
  const versioned = destination.query("SELECT 1 FROM pragma_table_info('users') WHERE name = '_sdc_table_version'");
  if (versioned.length === 0) return new Map();
  const rows = destination.query<{ id: bigint; seq: bigint; v: bigint }>(
    'SELECT id, seq, _sdc_table_version AS v FROM users',
  );
  return new Map(rows.map(({ id, seq, v }) => [Number(id), `${seq} ${v}`]));
}

/** After how many records behind `from` the table looks as it does; undefined when after none. */
function progress(before: Table, after: Table, from: number): number | undefined {
  const model = new Map(before);
  const differing = new Set<number>();
  const compare = (id: number) => (model.get(id) === after.get(id) ? differing.delete(id) : differing.add(id));
  for (const id of new Set([...before.keys(), ...after.keys()])) compare(id);
  let reached = differing.size === 0 ? from : undefined;
  for (let seq = from + 1; seq <= RECORDS; seq += 1) {
    const { id } = told(seq);
    model.set(id, `${seq} ${PRESENT}`);
    compare(id);
    if (differing.size === 0) reached = seq;
  }
  return reached;
}

function confirmedIn(destination: SqliteDestination): number {
  const path = join(destination.folder, 'state.json');
  return existsSync(path) ? Number((JSON.parse(readFileSync(path, 'utf8')) as { seq: number }).seq) : 0;
}

/** What was seen: kills that struck, and in how many of them rows lay beyond the confirmed state. */
export interface KillReport {
  readonly kills: number;
  readonly ahead: number;
  readonly loads: number;
}

/** Loads again and again, killed on the way, until so many kills have struck. @throws Error when anything is lost. */
export async function killTarget(kills: number, seed: number): Promise<KillReport> {
  const next = random(seed);
  const expected = await undisturbed();
  const report = { kills: 0, ahead: 0, loads: 0 };
  while (report.kills < kills) {
    const destination = await openSqlite();
    try {
      await run(destination, lines(SCHEMA, ...formerRows.map((row) => record(row, FORMER))), undefined);
      for (let left = 1 + Math.floor(next() * 6); ; left -= 1) {
        const from = confirmedIn(destination);
        const before = tableOf(destination);
        const states = Math.floor((next() * (RECORDS - from)) / BATCH_ROWS);
        const aim = left > 0 ? { states, delay: next() * (states === 0 ? 400 : 15) } : undefined;
        const { killed } = await run(destination, messagesFrom(from), aim);
        if (!killed) break;
        report.kills += 1;
        const confirmed = confirmedIn(destination);
        const reached = progress(before, tableOf(destination), from);
        if (reached === undefined) throw new Error(`half a batch is in the table after a kill (seed ${seed})`);
        if (reached < Math.min(confirmed, RECORDS)) {
          throw new Error(`state ${confirmed} was confirmed with ${reached} records in the table (seed ${seed})`);
        }
        if (reached > confirmed) report.ahead += 1;
      }
      report.loads += 1;
      const found = dump(destination);
      if (JSON.stringify(found) !== JSON.stringify(expected)) {
        throw new Error(`the table differs from that of an undisturbed load (seed ${seed})`);
      }
    } finally {
      await destination.close();
    }
  }
  return report;
}

async function undisturbed(): Promise<readonly unknown[]> {
  const destination = await openSqlite();
  try {
    await run(destination, lines(SCHEMA, ...formerRows.map((row) => record(row, FORMER))), undefined);
    await run(destination, messagesFrom(0), undefined);
    return dump(destination);
  } finally {
    await destination.close();
  }
}

function dump(destination: SqliteDestination): readonly unknown[] {
  const rows = destination.query(
    'SELECT id, seq, name, _sdc_table_version AS version, _sdc_deleted_at IS NULL AS present FROM users ORDER BY id',
  );
  return [confirmedIn(destination), ...rows.map((row) => Object.values(row).map(String))];
}
