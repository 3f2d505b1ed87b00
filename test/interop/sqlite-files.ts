/** SQLite files that other people made, out of packages of PyPI, and what a table of theirs is under announced types. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import type { Json } from '../../singer/lossless.ts';

const PYTHON = process.env.TAPWORKS_INTEROP_PYTHON ?? 'python3';

/** The same files on every machine: wheels of this platform are downloaded, whatever the machine's own is. */
const WHEELS = [
  { package: 'pyogrio==0.13.0', platform: ['manylinux_2_28_x86_64', '3.11', 'abi3'] },
  { package: 'mendeleev==1.3.0', platform: ['any', '3.11', 'none'] },
] as const;

export const FILES = [
  // Coordinate systems of the world: keys of two columns, views, triggers, numbers beside texts in one column.
  { name: 'proj.db', path: 'pyogrio/proj_data/proj.db' },
  // A GeoPackage: geometries as bytes, spatial indexes as virtual tables, a column of each type with nulls.
  { name: 'test_gpkg_nulls.gpkg', path: 'pyogrio/tests/fixtures/test_gpkg_nulls.gpkg' },
  // The chemical elements, written by an object-relational mapper: many doubles, enumerations, JSON in texts.
  { name: 'elements.db', path: 'mendeleev/elements.db' },
] as const;

/** Downloads the packages and unpacks them. @throws Error when pip is not there or finds nothing. */
export function download(folder: string): void {
  const wheels = join(folder, 'wheels');
  mkdirSync(wheels);
  const run = (...args: readonly string[]) =>
    execFileSync(PYTHON, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  for (const { package: name, platform } of WHEELS) {
    const [system, python, abi] = platform;
    const where = ['--platform', system, '--python-version', python, '--implementation', 'cp', '--abi', abi];
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-input', '--no-deps', '--only-binary=:all:'];
    run('-m', 'pip', 'download', ...quiet, ...where, '--dest', wheels, name);
  }
  for (const wheel of readdirSync(wheels)) run('-m', 'zipfile', '-e', join(wheels, wheel), folder);
}

export interface Announced {
  readonly type?: Json;
  readonly format?: Json;
  readonly contentEncoding?: Json;
}

/** Rows of a source table as texts that a target's table can be held against, with what was done to them on the way. */
export interface Wanted {
  readonly rows: readonly string[];
  /** Values by what the tap ought to count of them. */
  readonly changes: Readonly<Record<string, number>>;
  /** Values that have no place in their announced type. */
  readonly misfits: number;
}

type Value = null | bigint | number | string | Buffer;

/** What the rows of a table are to be, worked out from the file and the announced types alone. */
export function wantedRows(db: Database, table: string, properties: { readonly [name: string]: Announced }): Wanted {
  const changes: Record<string, number> = {};
  let misfits = 0;
  const columns = Object.keys(properties);
  const list = columns.map((name) => (name === '_sd_rowid' ? 'rowid' : `"${name.replaceAll('"', '""')}"`)).join(', ');
  const rows = db.prepare(`SELECT ${list} FROM "${table}"`).raw().safeIntegers(true).all() as Value[][];
  const texts = rows.map((row) =>
    JSON.stringify(
      row.map((value, at) => {
        const { text, change, misfit } = wanted(value, properties[columns[at] ?? ''] ?? {});
        if (change !== undefined) changes[change] = (changes[change] ?? 0) + 1;
        if (misfit === true) misfits += 1;
        return text;
      }),
    ),
  );
  return { rows: texts.sort(), changes, misfits };
}

interface One {
  readonly text: string | null;
  readonly change?: string;
  readonly misfit?: true;
}

function wanted(value: Value, { type, format, contentEncoding }: Announced): One {
  if (value === null) return { text: null };
  const types = [type ?? []].flat();
  if (value instanceof Buffer) return contentEncoding === 'base64' ? { text: value.toString('base64') } : MISFIT;
  if (types.includes('integer') || types.includes('number')) {
    return /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/.test(String(value)) ? { text: numberText(String(value)) } : MISFIT;
  }
  if (format === 'date-time') return time(String(value));
  if (typeof value === 'string') return { text: value };
  const whole = typeof value === 'number' && Number.isInteger(value);
  return { text: whole ? `${value}.0` : String(value), change: 'number_as_text' };
}

const MISFIT: One = { text: null, misfit: true };

function time(value: string): One {
  const match = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d)(\.\d+)?(Z)?)?$/.exec(value);
  if (match === null) return MISFIT;
  const [, day, clock = '00:00:00', fraction = ''] = match;
  const text = timeText(`${day} ${clock}${fraction}`);
  if (value.endsWith('Z')) return { text };
  return value === text ? { text } : { text, change: 'iso_form' };
}

/** Times of either target: `YYYY-MM-DD HH:MM:SS` with the fraction, without what stands for UTC. */
export function timeText(text: string): string {
  return text
    .replace('T', ' ')
    .replace(/(?:Z|\+00(?::00)?)$/, '')
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '');
}

/** One text for each number, with all its digits. */
export function numberText(text: string): string {
  const [, sign = '', digits = '', places = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const all = (digits + places).replace(/^0+/, '');
  const bare = all.replace(/0+$/, '');
  return bare === '' ? '0' : `${sign}${bare}e${Number(power) - places.length + all.length - bare.length}`;
}

/** A stored value of a target, given as its text. */
export function storedText(text: string | null, { type, format }: Announced): string | null {
  if (text === null) return null;
  const types = [type ?? []].flat();
  if (types.includes('integer') || types.includes('number')) return numberText(text);
  return format === 'date-time' ? timeText(text) : text;
}
