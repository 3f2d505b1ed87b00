/** A simulated plant in a process of its own, and `tap-plex | target-sqlite` against it with a database and a state file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Database from 'better-sqlite3';
import { executable, type PipeEnding, type PipeOptions, runPipe } from '../../dist/runner/pipe.js';

/** The plant's clock stands here; runs start three minutes later, so that all that was booked has settled. */
const PLANT_NOW = '2026-03-14T06:00:00Z';
export const RUN_NOW = '2026-03-14T06:03:00Z';

type Fields = Readonly<Record<string, unknown>>;

/** A call as the simulator has logged it. */
export interface Call {
  readonly seq: number;
  readonly path: string;
  readonly query: Readonly<Record<string, readonly string[]>>;
}

export class PlexWorkshop {
  readonly folder: string;
  readonly url: string;
  readonly database: string;
  readonly state: string;
  readonly tapConfig: string;
  readonly #targetConfig: string;
  readonly #simulator: ChildProcess;

  private constructor(folder: string, url: string, simulator: ChildProcess) {
    this.folder = folder;
    this.url = url;
    this.#simulator = simulator;
    this.database = join(folder, 'plex.db');
    this.state = join(folder, 'state.json');
    this.tapConfig = join(folder, 'tap.json');
    this.#targetConfig = join(folder, 'target.json');
  }

  static async open(profile: string, tap: Fields): Promise<PlexWorkshop> {
    const folder = await mkdtemp(join(tmpdir(), 'tapworks-plex-pipe-'));
    const child = spawn(process.execPath, [executable('tapworks'), 'simulate', 'plex', '--profile', profile], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, TAPWORKS_NOW: PLANT_NOW },
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const { url, config } = JSON.parse(line) as { url: string; config: Fields };
      const shop = new PlexWorkshop(folder, url, child);
      await shop.control('config', { calls_per_minute: 0, clock: 'stands' });
      await writeFile(shop.tapConfig, JSON.stringify({ ...config, requests_per_minute: 60_000, ...tap }));
      await writeFile(shop.#targetConfig, JSON.stringify({ database: shop.database }));
      return shop;
    }
    throw new Error('the simulator ended before it was ready');
  }

  async run(more: Partial<PipeOptions> = {}): Promise<PipeEnding & { readonly lines: readonly string[] }> {
    const lines: string[] = [];
    const ending = await runPipe({
      tap: { name: 'tap-plex', args: ['--config', this.tapConfig] },
      target: { name: 'target-sqlite', args: ['--config', this.#targetConfig] },
      state: this.state,
      env: { ...process.env, TAPWORKS_NOW: RUN_NOW },
      stderr: (_side, line) => lines.push(line),
      ...more,
    });
    return { ...ending, lines };
  }

  async control(path: string, body?: unknown): Promise<unknown> {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${this.url}/__sim/${path}`, init);
    return response.json();
  }

  async calls(after = 0): Promise<readonly Call[]> {
    return ((await this.control(`requests?after=${after}`)) as { requests: readonly Call[] }).requests;
  }

  async manifest(): Promise<Readonly<Record<string, { readonly rows: number }>>> {
    return ((await this.control('manifest')) as { streams: Record<string, { rows: number }> }).streams;
  }

  async bookmarks(): Promise<Readonly<Record<string, Fields>>> {
    return JSON.parse(await readFile(this.state, 'utf8')).bookmarks;
  }

  query(sql: string): readonly Fields[] {
    const db = new Database(this.database, { readonly: true });
    try {
      return db.prepare(sql).all() as Fields[];
    } finally {
      db.close();
    }
  }

  /** Rows of every table as texts, sorted, without the times at which the tap looked. */
  tables(): Readonly<Record<string, readonly string[]>> {
    const names = this.query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").map(({ name }) =>
      String(name),
    );
    return Object.fromEntries(
      names.map((name) => {
        const rows = this.query(`SELECT * FROM "${name}"`).map(({ _syncedAt, observedAt, ...row }) =>
          JSON.stringify(row),
        );
        return [name, [...new Set(rows)].sort()];
      }),
    );
  }

  async fresh(): Promise<void> {
    const files = [this.database, `${this.database}-wal`, `${this.database}-shm`, this.state];
    await Promise.all(files.map((file) => rm(file, { force: true })));
  }

  async close(): Promise<void> {
    this.#simulator.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}
