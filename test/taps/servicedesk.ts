/** `tap-servicedesk-sqlite` in memory, on files that a test makes: runs in a row that hand on their state. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import Sqlite, { type Database } from 'better-sqlite3';
import { type Json, parseLossless } from '../../singer/lossless.ts';
import { runTap } from '../../singer/run-tap.ts';
import { tap } from '../../taps/servicedesk-sqlite/tap.ts';
import { type Output, object, type RunOptions, runOnce } from '../contract/tap/outside.ts';
import { VirtualClock } from '../http/virtual-clock.ts';

export type Fields = { readonly [name: string]: Json };

/** One file, one state, one clock. */
export class Export {
  readonly path: string;
  readonly statePath: string;
  readonly clock = new VirtualClock();
  readonly #folder: string;
  #files = 0;

  /** `folder` holds the file and all that belongs to it. */
  constructor(folder: string, name = 'export.db') {
    this.#folder = folder;
    this.path = join(folder, name);
    this.statePath = join(folder, `${name}.state.json`);
  }

  /** Changes the file by a connection of its own, which is closed before this returns. */
  change<Result = void>(work: string | ((db: Database) => Result)): Result | undefined {
    const db = new Sqlite(this.path);
    try {
      if (typeof work === 'function') return work(db);
      db.exec(work);
      return undefined;
    } finally {
      db.close();
    }
  }

  put(content: unknown): string {
    this.#files += 1;
    const path = join(this.#folder, `put-${this.#files}.json`);
    writeFileSync(path, JSON.stringify(content));
    return path;
  }

  /** A run without a state: the arguments are the settings alone. */
  once(settings: Fields = {}, argv: readonly string[] = [], options: RunOptions = {}): Promise<Output> {
    const config = this.put({ database: this.path, ...settings });
    return runOnce(tap, ['--config', config, ...argv], { clock: this.clock, ...options });
  }

  /** A run that goes on from the last state and leaves its own, as a target would have it. */
  async run(settings: Fields = {}, argv: readonly string[] = [], options: RunOptions = {}): Promise<Output> {
    this.clock.advance(60_000);
    const output = await this.once(settings, ['--state', this.statePath, ...argv], options);
    const last = output.states.at(-1);
    if (last !== undefined) this.state = last;
    return output;
  }

  get state(): Fields {
    return existsSync(this.statePath) ? (JSON.parse(readFileSync(this.statePath, 'utf8')) as Fields) : {};
  }

  set state(state: Json) {
    writeFileSync(this.statePath, JSON.stringify(state));
  }

  bookmark(stream: string): Fields {
    return object(object(this.state.bookmarks)[stream]);
  }

  forget(): void {
    rmSync(this.statePath, { force: true });
  }

  /** What `--discover` prints, with these streams selected and, where named, read by a replication key. */
  async catalog(selected: { readonly [stream: string]: Fields }, settings: Fields = {}): Promise<Catalog> {
    const { stdout, stderr } = await this.once(settings, ['--discover']);
    if (stdout === '') throw new Error(stderr);
    const catalog = JSON.parse(stdout) as Catalog;
    for (const { tap_stream_id, metadata } of catalog.streams) {
      const root = metadata.find(({ breadcrumb }) => breadcrumb.length === 0);
      if (root !== undefined) Object.assign(root.metadata, { selected: false }, selected[tap_stream_id]);
    }
    return catalog;
  }
}

export interface CatalogEntry {
  tap_stream_id: string;
  key_properties: string[];
  schema: { properties: { [property: string]: { [keyword: string]: Json } } };
  metadata: { breadcrumb: string[]; metadata: { [name: string]: Json } }[];
}

export interface Catalog {
  streams: CatalogEntry[];
}

/**
 * A run whose messages are handed on one by one, for files whose output would not fit into memory together. The tap has to
 * wait until `onMessages` has done its work.
 * @returns exit code and log.
 */
export async function stream(
  argv: readonly string[],
  onMessages: (messages: readonly Fields[]) => void | Promise<void>,
): Promise<{ readonly code: number; readonly log: string }> {
  let [rest, log] = ['', ''];
  let failure: { readonly cause: unknown } | undefined;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const take = async (chunk: Buffer) => {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    await onMessages(lines.map((line) => object(parseLossless(line))));
  };
  const stdout = new Writable({
    write(chunk: Buffer, _encoding, done) {
      take(chunk).then(
        () => done(),
        (cause) => {
          failure ??= { cause };
          done(cause);
        },
      );
    },
  });
  const stderr = new Writable({
    write(chunk: Buffer, _encoding, done) {
      log += String(chunk);
      done();
    },
  });
  const stdin = (async function* () {})();
  const io = { argv, env: {}, stdin, stdout, stderr, terminal: false, clock: new VirtualClock() };
  const code = await runTap(tap, { ...io, signal: new AbortController().signal });
  if (failure !== undefined) throw failure.cause;
  if (rest !== '') throw new Error(`half a line: ${rest}`);
  return { code, log };
}

/** The one line that says why a run ended, or the whole log when there is none. */
export function lastWords({ logs, stderr }: Output): string {
  const critical = logs.filter(({ level }) => level === 'CRITICAL');
  return critical.length === 1 ? String(critical[0]?.message) : `not one critical line: ${stderr}`;
}

/** Versions that were declared complete, by stream. */
export function activated(output: Output): Readonly<Record<string, number>> {
  return Object.fromEntries(
    output.messages
      .filter(({ type }) => type === 'ACTIVATE_VERSION')
      .map(({ stream, version }) => [String(stream), Number(version)]),
  );
}

export function schemaOf(output: Output, stream: string): Fields {
  const found = output.messages.find((message) => message.type === 'SCHEMA' && message.stream === stream);
  return object(found);
}
