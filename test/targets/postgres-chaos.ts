/**
 * Breaks loads of target-postgres at random moments, in all the ways in which a process, a server or the line between
 * them can break, and starts them again from the state that the database holds. After each break the tables must be what
 * a whole number of records leaves, and the stored state the newest one before the last of them.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { random } from '../pipe/killing.ts';
import { openDatabase, type TestDatabase } from '../postgres/database.ts';
import { openProxy, type TcpProxy } from '../postgres/proxy.ts';
import type { TestServer } from '../postgres/server.ts';
import { FORMER_MESSAGES, messagesFrom, PRESENT, RECORDS, STATE_EVERY, userAt } from './postgres-chaos-records.ts';

const TARGET = join(import.meta.dirname, '../../bin/target-postgres.ts');
const SESSIONS = "FROM pg_stat_activity WHERE application_name = 'tapworks target-postgres'";
const BATCH_ROWS = 150;
/** A process that has not ended by then hangs: it does not notice that its connection is gone. */
const HANGS_MS = 90_000;

/**
 * What breaks: `killed`: the target, by `kill -9`; `terminated`: its session, by the server; `restarted`: the server, as
 * if it had crashed; `cut`: the line; `silent`: the line, after nothing has come through for a while; `commit lost`: the
 * line, in place of passing a COMMIT on; `answer lost`: the line, in place of passing on that a COMMIT was done.
 */
export const BREAKS = ['killed', 'terminated', 'restarted', 'cut', 'silent', 'commit lost', 'answer lost'] as const;
export type Break = (typeof BREAKS)[number];

export type LoadMethod = 'upsert' | 'overwrite';

/** What the tables hold: users by id, every record that was logged, and the stored state. */
interface Content {
  readonly users: ReadonlyMap<number, string>;
  readonly log: readonly number[];
  readonly state: number;
  /** Users that the later reading does not have. */
  readonly gone: readonly number[];
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly states: readonly number[];
  readonly stderr: string;
}

/** One database with its way through the proxy, used until a load has come to its end. */
class Life {
  readonly #server: TestServer;
  readonly #database: TestDatabase;
  readonly #proxy: TcpProxy;
  readonly #folder = mkdtempSync(join(tmpdir(), 'tapworks-chaos-'));
  readonly #method: LoadMethod;
  /** A server that crashed leaves temporary tables to its autovacuum. */
  #crashed = false;

  private constructor(server: TestServer, database: TestDatabase, proxy: TcpProxy, method: LoadMethod) {
    this.#server = server;
    this.#database = database;
    this.#proxy = proxy;
    this.#method = method;
  }

  static async begin(server: TestServer, method: LoadMethod): Promise<Life> {
    const database = await openDatabase(server.url);
    const life = new Life(server, database, await openProxy(database.url), method);
    const { code, stderr } = await life.run(FORMER_MESSAGES, 'upsert');
    if (code !== 0) throw new Error(`the first load ended with ${code}: ${stderr}`);
    return life;
  }

  async end(): Promise<void> {
    await this.#proxy.close();
    await this.#database.close();
    rmSync(this.#folder, { recursive: true });
  }

  at(name: string): string {
    return join(this.#folder, name);
  }

  get #confirmed(): number {
    const path = this.at('state.json');
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { seq: number }).seq : 0;
  }

  /** Loads; `disturb` is called for each state on stdout, first with 0 when the process has begun. */
  run(input: string, method: LoadMethod, disturb?: (states: number, kill: () => void) => void): Promise<Ended> {
    writeFileSync(this.at('input.jsonl'), input);
    const settings = { url: this.#proxy.url, load_method: method, batch_rows: BATCH_ROWS };
    writeFileSync(this.at('config.json'), JSON.stringify({ ...settings, state_table: 'states', state_key: 'chaos' }));
    const words = ['--config', this.at('config.json'), '--input', this.at('input.jsonl')];
    return new Promise((resolve, reject) => {
      const child = spawn(execPath, [TARGET, ...words, '--state-file', this.at('state.json')], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const states: number[] = [];
      let stderr = '';
      const watchdog = setTimeout(() => {
        child.kill('SIGKILL');
        reject(new Error(`target-postgres hangs: ${stderr}`));
      }, HANGS_MS);
      const kill = () => child.kill('SIGKILL');
      disturb?.(0, kill);
      createInterface({ input: child.stdout }).on('line', (line) => {
        states.push((JSON.parse(line) as { seq: number }).seq);
        disturb?.(states.length, kill);
      });
      child.stderr.on('data', (data) => {
        stderr += String(data);
      });
      child.on('close', (code, signal) => {
        clearTimeout(watchdog);
        resolve({ code, signal, states, stderr });
      });
    });
  }

  /** To overwrite is to load everything again. */
  #input({ state }: Content): string {
    return messagesFrom(this.#method === 'overwrite' ? 0 : state);
  }

  /** Loads from the stored state without a disturbance. */
  async finish(): Promise<void> {
    const { code, stderr } = await this.run(this.#input(await this.content()), this.#method);
    if (code !== 0) throw new Error(`a load that nobody disturbed ended with ${code}: ${stderr}`);
  }

  /** @returns whether the break struck before the load was through. @throws Error when anything is not as it must be. */
  async broken(kind: Break, next: () => number): Promise<boolean> {
    const before = await this.content();
    const aim = {
      states: Math.floor(next() * 20),
      delay: next() * 15,
      early: next() * 500,
      commit: 1 + Math.floor(next() * 14),
    };
    let breaking: Promise<unknown> | undefined;
    if (kind === 'commit lost' || kind === 'answer lost') this.#aimAtCommit(kind, aim.commit);
    const ended = await this.run(this.#input(before), this.#method, (states, kill) => {
      // A load that is kept aside says nothing until its end.
      const early = this.#method === 'overwrite' || aim.states === 0;
      if (states !== (early ? 0 : aim.states)) return;
      const delay = early ? aim.early + aim.states * 10 : aim.delay;
      breaking = wait(delay).then(() => this.#break(kind, kill));
    });
    await breaking;
    this.#proxy.cutWhen(() => false);
    this.#proxy.release();
    await this.#alone();
    this.#judge(kind, ended);
    this.#compare(before, await this.content(), ended);
    return ended.code !== 0;
  }

  #aimAtCommit(kind: 'commit lost' | 'answer lost', commit: number): void {
    let seen = 0;
    this.#proxy.cutWhen((bytes, from) => {
      if (from !== (kind === 'commit lost' ? 'client' : 'server') || !bytes.includes('COMMIT')) return false;
      seen += 1;
      return seen === commit;
    });
  }

  async #break(kind: Break, kill: () => void): Promise<void> {
    switch (kind) {
      case 'killed':
        return kill();
      case 'terminated':
        await this.#database.query(`SELECT pg_terminate_backend(pid) ${SESSIONS}`);
        return;
      case 'restarted':
        this.#crashed = true;
        return this.#server.restart('immediate');
      case 'cut':
        return this.#proxy.cut();
      case 'silent':
        this.#proxy.hold();
        await wait(50);
        return this.#proxy.cut();
      default:
        return;
    }
  }

  /** Waits until the server has let go of the load. */
  async #alone(): Promise<void> {
    for (const end = Date.now() + 30_000; Date.now() < end; await wait(10)) {
      const left = await this.#database.query(`SELECT pid ${SESSIONS}`).catch(() => [{}]);
      if (left.length === 0) return;
    }
    throw new Error('a session of the load is left');
  }

  /** A process that was not killed ends by itself, with one line that says what to do. */
  #judge(kind: Break, { code, signal, stderr }: Ended): void {
    if (code === 0) return;
    if (kind === 'killed' && signal === 'SIGKILL') return;
    const said = stderr.trim().split('\n');
    const fail = (what: string) => new Error(`${kind}: ${what} (code ${code}, signal ${signal}): ${stderr}`);
    if (code !== 1) throw fail('not exit 1');
    const logs = said.map((line) => {
      if (!line.startsWith('{')) throw fail('a line that is no log line');
      return JSON.parse(line) as { level: string; message: string };
    });
    const [line, ...more] = logs.filter(({ level }) => level === 'CRITICAL' || level === 'ERROR');
    if (line === undefined || more.length > 0)
      throw fail(`${more.length + (line === undefined ? 0 : 1)} lines of failure`);
    if (!/ the database \S+: .* — /.test(line.message)) throw fail('a line without what to do');
    if (/unexpected|report it|\bat \w+ \(/.test(line.message)) throw fail('a line that nobody understands');
  }

  async content(): Promise<Content> {
    const { query } = this.#database;
    const [columns] = await query(
      `SELECT count(*) FILTER (WHERE attname = '_sdc_deleted_at') AS stamp, count(*) FILTER (WHERE attname = '_sdc_table_version') AS version
       FROM pg_attribute WHERE attrelid = to_regclass('public.users') AND NOT attisdropped`,
    );
    const version = columns?.version === '0' ? 'NULL' : '_sdc_table_version';
    const stamp = columns?.stamp === '0' ? 'NULL' : '_sdc_deleted_at';
    const users = await query(
      `SELECT id, seq, name, ${version} AS version, ${stamp} IS NOT NULL AS gone FROM public.users ORDER BY id`,
    );
    const log = await query('SELECT seq FROM public.log ORDER BY seq::bigint');
    const [table] = await query(`SELECT to_regclass('public.states')::text AS name`);
    const [stored] =
      table?.name == null ? [] : await query("SELECT state FROM public.states WHERE state_key = 'chaos'");
    return {
      users: new Map(users.map(({ id, seq, name, version: of }) => [Number(id), `${seq} ${name} ${of}`])),
      log: log.map(({ seq }) => Number(seq)),
      state: stored?.state == null ? 0 : (JSON.parse(stored.state) as { seq: number }).seq,
      gone: users.flatMap(({ id, gone }) => (gone === 't' ? [Number(id)] : [])),
    };
  }

  #compare(before: Content, after: Content, { states }: Ended): void {
    const fail = (what: string) => new Error(`${this.#method}: ${what}: state ${before.state} → ${after.state}`);
    const told = Math.max(0, ...states, this.#confirmed);
    if (told > after.state) throw fail(`state ${told} was confirmed, which the database does not hold`);
    if (this.#method === 'overwrite') {
      const kept = after.state === before.state && same(before, after);
      if (!kept && after.state !== RECORDS + 1) throw fail('half a load took the place of the former content');
      return;
    }
    const reached = before.state + after.log.length - before.log.length;
    const expected = new Map(before.users);
    for (let seq = before.state + 1; seq <= Math.min(reached, RECORDS); seq += 1) {
      const { id, name } = userAt(seq);
      expected.set(id, `${seq} ${name} ${PRESENT}`);
    }
    const added = Array.from({ length: reached - before.state }, (_, place) => before.state + 1 + place);
    if (String([...before.log, ...added].sort((a, b) => a - b)) !== String(after.log))
      throw fail('records are missing, or twice in a load');
    if (!sameUsers(expected, after.users)) throw fail(`the table is not what ${reached} records leave`);
    // A commit may fall between the last record before a state and the state itself.
    const newest = (upTo: number) => Math.max(before.state, upTo - (upTo % STATE_EVERY));
    const possible = after.gone.length > 0 ? [RECORDS, RECORDS + 1] : [newest(reached), newest(reached - 1)];
    if (!possible.includes(after.state)) throw fail(`${reached} records are in, so the state should be ${possible[0]}`);
  }

  /** What must be the same as after a load that nobody disturbed. */
  async result(): Promise<string> {
    await this.#alone();
    const { users, log, state, gone } = await this.content();
    const left = await this.#database.query(
      `SELECT relname FROM pg_class WHERE relname LIKE '\\_tapworks\\_new%' ${this.#crashed ? '' : "OR relpersistence = 't'"}`,
    );
    const sorted = [...users].sort(([a], [b]) => a - b);
    return JSON.stringify({
      sorted,
      log: [...new Set(log)],
      state,
      gone,
      left,
      confirmed: this.#confirmed,
    });
  }
}

const sameUsers = (a: Content['users'], b: Content['users']) =>
  a.size === b.size && [...a].every(([id, text]) => b.get(id) === text);
const same = (a: Content, b: Content) => sameUsers(a.users, b.users) && String(a.log) === String(b.log);

/** How often each kind of break has struck, and in how many loads. */
export interface ChaosReport {
  readonly struck: Readonly<Record<string, number>>;
  readonly loads: number;
}

/**
 * Breaks loads until each of `kinds` has struck, in that order, then lets them come to their end.
 * @throws Error with the seed when anything is lost, stored twice, left behind, or not said clearly.
 */
export async function breakLoads(server: TestServer, kinds: readonly Break[], seed: number): Promise<ChaosReport> {
  const next = random(seed);
  const struck: Record<string, number> = {};
  const expected = new Map<LoadMethod, string>();
  let loads = 0;
  const open = [...kinds];
  const live = async (method: LoadMethod, breaks: boolean) => {
    const life = await Life.begin(server, method);
    try {
      // Some loads are broken several times on their way.
      for (let left = breaks ? 1 + Math.floor(next() * 4) : 0; left > 0 && open.length > 0; left -= 1) {
        const kind = open[0] as Break;
        if (!(await life.broken(kind, next))) break;
        struck[kind] = (struck[kind] ?? 0) + 1;
        open.shift();
      }
      await life.finish();
      return await life.result();
    } finally {
      await life.end();
    }
  };
  try {
    for (const method of ['upsert', 'overwrite'] as const) expected.set(method, await live(method, false));
    while (open.length > 0) {
      const method: LoadMethod = next() < 0.7 ? 'upsert' : 'overwrite';
      const found = await live(method, true);
      loads += 1;
      if (found !== expected.get(method))
        throw new Error(`${method}: the end differs from that of an undisturbed load`);
    }
  } catch (cause) {
    throw new Error(`seed ${seed}: ${(cause as Error).message}`, { cause });
  }
  return { struck, loads };
}
