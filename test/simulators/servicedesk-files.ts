/** Generated ServiceDesk databases for tests, and the logical hash of a file as its documentation describes it. */
import { createHash } from 'node:crypto';
import Database from 'better-sqlite3';
import { secondsOf } from '../../simulators/servicedesk/calendar.ts';
import { type GeneratorOptions, generate } from '../../simulators/servicedesk/generate.ts';
import type { Manifest } from '../../simulators/servicedesk/manifest.ts';
import { type Kind, tablesOf } from '../../simulators/servicedesk/schema.ts';
import { folder } from '../singer/folder.ts';

export const DEFAULTS: GeneratorOptions = {
  rows: 5000,
  profile: 'clean',
  seed: 1,
  asOf: secondsOf('2025-10-17') ?? 0,
  variant: 'base',
  defects: new Map(),
  wal: false,
  leaveWal: 0,
  padFreeMb: 0,
  htmlFactor: 1,
  pageSize: 4096,
};

export interface Generated {
  readonly file: string;
  readonly db: Database.Database;
  readonly manifest: Manifest;
  /** The single value of a query. */
  value(sql: string): number;
}

/** A place for databases, and a function that makes them there. */
export function generating(): (options?: Partial<GeneratorOptions>) => Promise<Generated> {
  const place = folder();
  let made = 0;
  return async (options = {}) => {
    made += 1;
    const file = place.at(`${made}.db`);
    const manifest = await generate(file, place.at(`${made}.json`), { ...DEFAULTS, ...options });
    const db = new Database(file);
    return { file, db, manifest, value: (sql) => db.prepare<[], number>(sql).pluck().get() ?? 0 };
  };
}

const quoted = (name: string) => `"${name}"`;

/** Every cell as its storage class and its bytes: a string would not hold text that is not UTF-8. */
function cell(storage: string, bytes: Buffer | null, kind: Kind): string {
  if (storage === 'null' || bytes === null) return '\\N';
  if (storage === 'blob') return `\\x${bytes.toString('hex')}`;
  const text = bytes.toString('latin1');
  if (storage === 'text') {
    const time = /^([-\d]{10}) (\d\d:\d\d:\d\d)$/.exec(text);
    if (kind === 'timestamp' && time !== null) return `${time[1]}T${time[2]}.000000`;
    return text.replaceAll('\\', '\\\\');
  }
  const number = Number(text);
  if (kind === 'number' || Number.isSafeInteger(number)) return String(number);
  const double = Buffer.alloc(8);
  double.writeDoubleBE(number);
  return double.toString('hex');
}

/** The hash of a table, read from the file cell by cell. */
export function hashOf(db: Database.Database, name: keyof ReturnType<typeof tablesOf>): string {
  const { columns } = tablesOf('base')[name];
  const list = columns.flatMap(({ name: column }) => {
    const cellName = quoted(column);
    // The text of a number as SQLite writes it has 15 digits, too few to get it back.
    return [
      `typeof(${cellName})`,
      `CAST(CASE typeof(${cellName}) WHEN 'real' THEN printf('%!.17g', ${cellName}) ELSE ${cellName} END AS BLOB)`,
    ];
  });
  let sum = 0n;
  let rows = 0;
  const statement = db
    .prepare<[], readonly (string | Buffer)[]>(`SELECT ${list.join(', ')} FROM ${quoted(name)}`)
    .raw();
  for (const row of statement.iterate()) {
    const cells = columns.map(({ kind }, index) =>
      cell(String(row[2 * index]), row[2 * index + 1] as Buffer | null, kind),
    );
    const digest = createHash('md5')
      .update(Buffer.from(cells.join('\x1f'), 'latin1'))
      .digest();
    sum = (sum + digest.readBigUInt64BE(0)) % 2n ** 64n;
    rows += 1;
  }
  return `${rows}:${sum.toString(16).padStart(16, '0')}`;
}
