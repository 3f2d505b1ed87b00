/** One table read twice, by the quick way and by the plain one, each result as texts that keep every digit. */
import { setImmediate } from 'node:timers/promises';
import type { Json } from '../../singer/lossless.ts';
import type { JsonSchema } from '../../singer/messages.ts';
import type { RowGroup, Run } from '../../singer/stream.ts';
import type { ColumnSettings } from '../../taps/servicedesk-sqlite/columns.ts';
import { discover, type Found } from '../../taps/servicedesk-sqlite/discovery.ts';
import { isQuick, QuickRows } from '../../taps/servicedesk-sqlite/lines.ts';
import { type Plan, planOf } from '../../taps/servicedesk-sqlite/plan.ts';
import { type Chunk, Tally } from '../../taps/servicedesk-sqlite/reading.ts';
import { DeadLetter } from '../../taps/servicedesk-sqlite/rejects.ts';
import { REJECTS } from '../../taps/servicedesk-sqlite/rejects-stream.ts';
import { PlainRows, type RowSettings } from '../../taps/servicedesk-sqlite/rows.ts';
import { readingOf } from '../../taps/servicedesk-sqlite/settings.ts';
import { Source } from '../../taps/servicedesk-sqlite/source.ts';

export const VERSION = 1_760_000_000_000;

const quiet = { info() {}, warn() {}, debug() {} } as unknown as Run['log'];

/** What one way made of a table, without regard to the order of rows. */
export interface Reading {
  readonly read: number;
  readonly emitted: number;
  readonly rejected: number;
  readonly rejectedValues: number;
  readonly records: readonly string[];
  readonly rejects: readonly string[];
  readonly notes: readonly string[];
}

export interface Both {
  readonly quick: Reading;
  readonly plain: Reading;
  /** Records that SQLite wrote. */
  readonly lines: number;
}

/** An open file with the streams that discovery finds in it. */
export class Tables {
  readonly source: Source;
  readonly found: readonly Found[];

  private constructor(source: Source, found: readonly Found[]) {
    this.source = source;
    this.found = found;
  }

  static async open(database: string): Promise<Tables> {
    const source = Source.open({ database, snapshot: 'transaction', busyMs: 0 }, quiet);
    const reading = readingOf({ database, profile_sample: 1000, slash_date_order: 'DMY', emit_rowid: true });
    const run = { log: quiet, signal: new AbortController().signal } as unknown as Run;
    return new Tables(source, await discover(source, reading, () => true, run));
  }

  /** The plan for a stream; `types` takes the place of the decided schema of some columns. */
  plan(stream: string, types: { readonly [column: string]: JsonSchema } = {}, settings = SETTINGS): Plan {
    const found = this.found.find(({ origin }) => origin.stream === stream);
    if (found === undefined) throw new Error(`no stream "${stream}"`);
    const { origin, declaration } = found;
    const properties = Object.entries(declaration.schema.properties ?? {}).map(
      ([name, schema]) => [name, Object.hasOwn(types, name) ? (types[name] as JsonSchema) : schema] as const,
    );
    const schema = { ...declaration.schema, properties: Object.fromEntries(properties) };
    return planOf(this.source, origin, { declaration, schema, key: declaration.key }, VERSION, settings, quiet);
  }

  /** Undefined for a table that has no quick way. */
  async bothWays(plan: Plan, rows: Partial<RowSettings> = {}): Promise<Both | undefined> {
    if (!isQuick(plan, this.source)) return undefined;
    const settings: RowSettings = { rejectPolicy: 'value', slashOrder: 'DMY', ...rows };
    const ways = (quick: boolean) => {
      const tally = new Tally();
      const plain = new PlainRows(plan, this.source, new DeadLetter(VERSION, true, undefined), tally, settings);
      return readAll(quick ? new QuickRows(plan, this.source, plain) : plain, tally, plan.stream);
    };
    const [quick, plain] = [ways(true), ways(false)];
    // Buffers are let go of between two turns.
    await setImmediate();
    return { quick: quick.reading, plain: plain.reading, lines: quick.lines };
  }

  close(): void {
    this.source.close();
  }
}

const SETTINGS: ColumnSettings = { zone: undefined, slashOrder: 'DMY', nul: 'strip', utf8: 'reject' };

function readAll(rows: { next(place: Chunk['last']): Chunk }, tally: Tally, stream: string) {
  const records: string[] = [];
  const rejects: string[] = [];
  let [read, emitted, rejected, lines] = [0, 0, 0, 0];
  const take = (group: RowGroup) => {
    if (group.stream === REJECTS) rejects.push(...('records' in group ? group.records : []).map((row) => exact(row)));
    else if ('lines' in group) {
      lines += group.count;
      for (const line of group.lines.toString().split('\n')) if (line !== '') records.push(recordOf(line, stream));
    } else records.push(...group.records.map((row) => exact(row)));
  };
  for (let place: Chunk['last']; ; ) {
    const chunk = rows.next(place);
    if (chunk.read === 0) break;
    place = chunk.last;
    tally.read += chunk.read;
    read += chunk.read;
    emitted += chunk.emitted;
    rejected += chunk.rejected;
    for (const group of chunk.groups) take(group);
  }
  const notes = [...tally.notes].map(([note, count]) => `${note} ${count}`);
  return {
    lines,
    reading: {
      read,
      emitted,
      rejected,
      rejectedValues: tally.rejectedValues,
      records: records.sort(),
      rejects: rejects.sort(),
      notes: notes.sort(),
    },
  };
}

/** The record of a line, which is a message of this stream and version. */
function recordOf(line: string, stream: string): string {
  const opening = `{"type":"RECORD","stream":${JSON.stringify(stream)},"record":`;
  const ending = `,"version":${VERSION}}`;
  if (!line.startsWith(opening) || !line.endsWith(ending)) throw new Error(`no record of ${stream}: ${line}`);
  return exactText(line.slice(opening.length, -ending.length));
}

function exact(row: { readonly [name: string]: Json | undefined }): string {
  return exactText(JSON.stringify(row));
}

/** JSON whose numbers are replaced by their own texts: a double would hide a digit. */
function exactText(text: string): string {
  return JSON.stringify(
    JSON.parse(text, (_key, value, { source }) => (typeof value === 'number' ? { number: source } : value)),
  );
}
