/** A temporary folder with a simulator process, configs, a database and a state file: what every pipe test works in. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Database from 'better-sqlite3';
import { executable, type PipeEnding, type PipeOptions, runPipe } from '../../dist/runner/pipe.js';

/** The instant at which every process of these tests starts, so that equal input gives equal rows. */
export const NOW = '2026-03-01T06:00:00Z';

export interface Workshop {
  /** The stream on which the tap measures coverage. */
  readonly measured: string;
  readonly folder: string;
  readonly database: string;
  readonly state: string;
  readonly url: string;
  readonly tapConfig: string;
  readonly targetConfig: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Runs the pipe once; log lines of both sides are kept in `lines`. */
  run(more?: Partial<PipeOptions>): Promise<PipeEnding & { readonly lines: readonly string[] }>;
  /** Asks the simulator's control surface. */
  control(path: string, body?: unknown): Promise<unknown>;
  /** Removes database and state, so that the next run is a first one. */
  fresh(): Promise<void>;
  /** Rows of every data table, sorted, without the columns that only tell when something was done. */
  tables(): Readonly<Record<string, readonly string[]>>;
  query(sql: string): readonly Record<string, unknown>[];
  savedState(): Promise<{ bookmarks: Record<string, Record<string, unknown>>; snapshot: Record<string, unknown> }>;
  close(): Promise<void>;
}

export interface WorkshopOptions {
  /** The tap of its pipes; `tap-pmp` if none is named. */
  readonly program?: 'tap-pmp' | 'tap-dcapi';
  readonly profile: 'small' | 'full';
  readonly scenario?: string;
  readonly seed?: number;
  readonly tap?: Readonly<Record<string, unknown>>;
  readonly target?: Readonly<Record<string, unknown>>;
}

/** A sweep that was killed before its first confirmed state starts again, and its rows tell so in `extracted_at`. */
const VOLATILE = new Set(['created_at', 'updated_at', 'started_at', 'ended_at', 'resolved_at', 'extracted_at']);

async function startSimulator({
  profile,
  scenario = 'happy',
  seed = 1,
}: WorkshopOptions): Promise<{ child: ChildProcess; url: string; config: Record<string, unknown> }> {
  const child = spawn(
    process.execPath,
    [executable('tapworks'), 'simulate', 'pmp', '--profile', profile, '--scenario', scenario, '--seed', String(seed)],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    const { url, config } = JSON.parse(line) as { url: string; config: Record<string, unknown> };
    return { child, url, config };
  }
  throw new Error('the simulator ended before it was ready');
}

export async function openWorkshop(options: WorkshopOptions): Promise<Workshop> {
  const { program = 'tap-pmp' } = options;
  const folder = await mkdtemp(join(tmpdir(), 'tapworks-pipe-'));
  const [database, state, tapConfig, targetConfig] = ['pmp.db', 'state.json', 'tap.json', 'target.json'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string];
  const { child, url, config } = await startSimulator(options);
  // Each run is a process of its own and asks for a token: more than a tenant grants in ten minutes.
  await fetch(`${url}/__sim/config`, { method: 'POST', body: JSON.stringify({ token_limit: false }) });
  await writeFile(tapConfig, JSON.stringify({ ...config, page_delay_ms: 0, snapshot_id: 7, ...options.tap }));
  await writeFile(targetConfig, JSON.stringify({ database, ...options.target }));
  const env = { ...process.env, TAPWORKS_NOW: NOW };
  const query = (sql: string) => {
    const db = new Database(database, { readonly: true });
    try {
      return db.prepare(sql).all() as Record<string, unknown>[];
    } finally {
      db.close();
    }
  };
  return {
    measured: program === 'tap-pmp' ? 'systems' : 'dcapi_systems',
    folder,
    database,
    state,
    url,
    tapConfig,
    targetConfig,
    env,
    query,
    async run(more = {}) {
      const lines: string[] = [];
      const ending = await runPipe({
        tap: { name: program, args: ['--config', tapConfig] },
        target: { name: 'target-sqlite', args: ['--config', targetConfig] },
        state,
        env,
        stderr: (_side, line) => lines.push(line),
        ...more,
      });
      return { ...ending, lines };
    },
    async control(path, body) {
      const reply = await fetch(
        `${url}/__sim/${path}`,
        body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) },
      );
      if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
      return reply.json();
    },
    async fresh() {
      for (const file of [database, `${database}-wal`, `${database}-shm`, state]) await rm(file, { force: true });
    },
    tables() {
      const names = query(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'",
      ).map(({ name }) => String(name));
      return Object.fromEntries(
        names.map((name) => [
          name,
          query(`SELECT * FROM "${name}"`)
            .map((row) => JSON.stringify(Object.entries(row).filter(([column]) => !VOLATILE.has(column))))
            .sort(),
        ]),
      );
    },
    async savedState() {
      return JSON.parse(await readFile(state, 'utf8'));
    },
    async close() {
      child.kill('SIGTERM');
      await new Promise((resolve) => (child.exitCode === null ? child.once('exit', resolve) : resolve(undefined)));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
