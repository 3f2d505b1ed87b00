/** `tapworks demo`: the main job on a simulated tenant, with the same executables and pipes that a user has. */
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import Database from 'better-sqlite3';
import { startManageEngine } from '../simulators/manageengine/server.ts';
import { ConnectorError, EXIT, textOf } from '../singer/errors.ts';
import type { Io } from '../singer/io.ts';
import type { Log } from '../singer/log.ts';
import { print } from '../singer/session.ts';
import { runPipe } from './pipe.ts';

const FOLDER = 'demo';
const DATABASE = join(FOLDER, 'pmp.db');
const TAP_CONFIG = join(FOLDER, 'tap-pmp.json');
const TARGET_CONFIG = join(FOLDER, 'target-sqlite.json');
const STATE = join('state', 'demo.json');

/** A quarter of the tap's default, so that a newcomer does not wait: this server is nobody else's. Milliseconds. */
const PAGE_DELAY = 60;

/** Loads the small profile from scratch and prints what was loaded. Returns the exit code. */
export async function demo(io: Io, log: Log): Promise<number> {
  await makeRoom();
  const simulator = await startManageEngine({ profile: 'small' });
  try {
    await writeConfig(TAP_CONFIG, { ...simulator.config, page_delay_ms: PAGE_DELAY });
    await writeConfig(TARGET_CONFIG, { database: DATABASE });
    log.info(
      'demo',
      `simulated tenant at ${simulator.url}; tap-pmp --config ${TAP_CONFIG} --state ${STATE} | target-sqlite --config ${TARGET_CONFIG} --state-file ${STATE}`,
    );
    const ending = await runPipe({
      tap: { name: 'tap-pmp', args: ['--config', TAP_CONFIG] },
      target: { name: 'target-sqlite', args: ['--config', TARGET_CONFIG] },
      state: STATE,
      stderr: 'inherit',
      signal: io.signal,
    });
    io.signal.throwIfAborted();
    if (ending.exitCode !== EXIT.complete) {
      const side = ({ code, signal }: typeof ending.tap) => signal ?? code;
      throw new ConnectorError(
        'upstream',
        `the pipe ended with ${side(ending.tap)} (tap-pmp) and ${side(ending.target)} (target-sqlite)`,
        {},
        { hint: 'the lines above say why' },
      );
    }
    await print(io, summary());
    return EXIT.complete;
  } finally {
    await simulator.close();
  }
}

/** An empty folder for this demo; what an earlier one left is removed. */
async function makeRoom(): Promise<void> {
  try {
    await mkdir(FOLDER, { recursive: true });
    for (const file of [DATABASE, `${DATABASE}-wal`, `${DATABASE}-shm`, STATE]) await rm(file, { force: true });
  } catch (cause) {
    throw new ConnectorError(
      'destination',
      `cannot write to ${FOLDER}/ or state/: ${textOf(cause)}`,
      {},
      {
        cause,
        hint: 'another user may have run the demo here: remove both, or run it in a folder of your own',
      },
    );
  }
}

/** Settings hold a secret, even if only the simulator's. */
async function writeConfig(path: string, settings: Readonly<Record<string, unknown>>): Promise<void> {
  await writeFile(path, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 });
  await chmod(path, 0o600);
}

/** What is in the database, read back from it. */
function summary(): string {
  const db = new Database(DATABASE, { readonly: true });
  try {
    const tables = db
      .prepare<[], { name: string }>(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY name",
      )
      .all();
    const rows = tables.map(({ name }) => {
      const count =
        db
          .prepare<[], number>(`SELECT count(*) FROM "${name.replaceAll('"', '""')}"`)
          .pluck()
          .get() ?? 0;
      return `  ${name.padEnd(24)}${String(count).padStart(6)} rows`;
    });
    const checkpoint = db
      .prepare<[], { coverage_pct: number; systems_extracted: number; total_systems: number }>(
        'SELECT coverage_pct, systems_extracted, total_systems FROM extraction_checkpoints ORDER BY updated_at DESC LIMIT 1',
      )
      .get();
    const gaps =
      db.prepare<[], number>('SELECT count(*) FROM extraction_gaps WHERE resolved_at IS NULL').pluck().get() ?? 0;
    const here = (path: string) => relative('.', path);
    return [
      '',
      'Loaded',
      ...rows,
      '',
      `Coverage  ${checkpoint?.coverage_pct} % (${checkpoint?.systems_extracted} of ${checkpoint?.total_systems} systems), open gaps ${gaps}`,
      `Database  ${here(DATABASE)}`,
      `State     ${here(STATE)}`,
      '',
      'Try next',
      `  npx tap-pmp --config ${TAP_CONFIG} --state ${STATE} --status`,
      `  npx node -e "console.table(new (require('better-sqlite3'))('${DATABASE}').prepare('SELECT resource_health_status AS health, count(*) AS systems FROM systems GROUP BY 1').all())"`,
      '  npx tapworks simulate pmp --profile full',
    ].join('\n');
  } finally {
    db.close();
  }
}
