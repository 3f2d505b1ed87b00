/** Tables as nobody would make them on purpose: odd names, any label, any value, keys of all kinds. */
import type { Database } from 'better-sqlite3';
import fc from 'fast-check';
import { BYTEWISE, bound, COLLATIONS, DECLARED, ORDINARY, quoted, type Stored, TYPES } from './servicedesk-values.ts';

interface Column {
  readonly name: string;
  readonly declared: string;
  readonly collation: string;
  readonly generated: boolean;
  /** What most of its rows hold. */
  readonly usual: readonly Stored[];
  /** Name of the type that it is read as; the decided one when undefined. */
  readonly type: string | undefined;
}

export interface OddTable {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly key: 'none' | 'rowid' | 'text' | 'two columns' | 'unique';
  readonly strict: boolean;
  readonly rows: readonly (readonly Stored[])[];
}

const NAMES = [
  ...[
    'a',
    'B',
    'id',
    'Id',
    'comment_id',
    'rowid',
    '_rowid_',
    'oid',
    '_sd_rowid',
    '_sd_row_key',
    '__proto__',
    'toString',
  ],
  ...['constructor', 'select', 'ORDER', 'group by', 'limit', 'a"b', "a'b", 'a`b', '[a]', 'a.b', 'a,b', 'a|b', 'a\\b'],
  ...[
    '',
    ' ',
    ' a',
    'a ',
    'TKT-Job#/Ref#',
    '?',
    ':a',
    '$1',
    '%',
    'Gr\u00f6\u00dfe',
    '\u{1f600}',
    '\u2028',
    'line\nline',
    '1',
  ],
  ...['x'.repeat(200), 'value', 'key', 'type', 'record', 'null', 'true', '"', "''", '*', 'a/b', '--', '/*', 'sd'],
];

const name = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...NAMES) },
  fc.string({ maxLength: 12, unit: 'binary' }),
);
/** SQL ends at a NUL, and half of a surrogate pair is no name that SQLite keeps as it is. */
const isName = (text: string) => text.isWellFormed() && !text.includes('\0');

const stored: fc.Arbitrary<Stored> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.constantFrom(...ORDINARY.filter((value) => typeof value !== 'string' || value.length < 99)),
  },
  { weight: 3, arbitrary: fc.double({ noNaN: true }) },
  { weight: 3, arbitrary: fc.integer({ min: -1_000_000, max: 1_000_000 }).map((cents) => cents / 100) },
  { weight: 2, arbitrary: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => text.isWellFormed()) },
  { weight: 1, arbitrary: fc.constantFrom(...BYTEWISE) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 6 }).map((bytes) => ({ text: Buffer.from(bytes) })) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 6 }).map((bytes) => ({ blob: Buffer.from(bytes) })) },
);

/** Columns as they should be: without them hardly any row would be free of odd values. */
const USUAL: readonly (readonly Stored[])[] = [
  [1n, 20n, null],
  [2.5, 4417, 0.1],
  ['a text', 'Gr\u00fc\u00dfe', ''],
  ['yes', 'no'],
  ['2025-05-20 08:42:00', '2025-06-01 00:00:00', null],
  ['12', '3700421'],
  [null],
];

const column = (names: fc.Arbitrary<string>): fc.Arbitrary<Column> =>
  fc.record({
    name: names,
    declared: fc.constantFrom(...DECLARED),
    collation: fc.constantFrom(...COLLATIONS),
    generated: fc.boolean(),
    usual: fc.constantFrom(...USUAL),
    type: fc.option(fc.constantFrom(...Object.keys(TYPES)), { nil: undefined, freq: 2 }),
  });

/** Rows of what their columns usually hold, with odd values here and there. Wide tables have few rows. */
export const oddTable: fc.Arbitrary<OddTable> = fc
  .record({
    width: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 6 }) }, fc.constant(200)),
    length: fc.constantFrom(0, 1, 2, 20, 64, 65, 150),
  })
  .chain(({ width, length }) =>
    fc.record({
      name: name.filter((text) => isName(text) && !/^sqlite_/i.test(text)),
      columns: fc.uniqueArray(column(width > 100 ? fc.string({ minLength: 6 }).filter(isName) : name.filter(isName)), {
        minLength: width,
        maxLength: width,
        selector: (one) => one.name.toLowerCase(),
      }),
      key: fc.constantFrom('none', 'rowid', 'text', 'two columns', 'unique'),
      strict: fc.constantFrom(false, false, false, true),
      length: fc.constant(width > 100 ? Math.min(length, 5) : length),
      odd: fc.array(fc.tuple(fc.nat(), fc.nat(width - 1), stored), { maxLength: 20 }),
    }),
  )
  .map(({ length, odd, ...table }) => {
    const rows = Array.from({ length }, (_, row) =>
      table.columns.map(({ usual }) => usual[row % usual.length] ?? null),
    );
    for (const [row, at, value] of odd) {
      const struck = rows[row % Math.max(1, length)];
      if (struck !== undefined) struck[at] = value;
    }
    return { ...table, rows };
  });

/** Makes the table; rows that its own rules refuse are left out. */
export function make(db: Database, { name: table, columns, key, strict, rows }: OddTable): void {
  const isGenerated = (index: number) => index > 0 && columns[index]?.generated === true && index % 3 === 2;
  const first = columns[0] as Column;
  const lines = columns.map(({ name: own, declared, collation }, index) => {
    const label = strict ? 'ANY' : index === 0 && key === 'rowid' ? 'INTEGER' : declared;
    if (isGenerated(index)) return `${quoted(own)} ${label} ${collation} AS (${quoted(first.name)}) VIRTUAL`;
    const rule =
      index > 0 ? '' : { rowid: 'PRIMARY KEY', text: 'PRIMARY KEY', unique: 'NOT NULL UNIQUE' }[key as string];
    return `${quoted(own)} ${label} ${collation} ${rule ?? ''}`;
  });
  const both = key === 'two columns' && columns.length > 1 && !isGenerated(1);
  if (both) lines.push(`PRIMARY KEY (${columns.slice(0, 2).map((one) => quoted(one.name))})`);
  if (strict && key === 'rowid') lines[0] = `${quoted(first.name)} INTEGER PRIMARY KEY`;
  db.exec(`CREATE TABLE ${quoted(table)} (${lines.join(', ')}) ${strict ? 'STRICT' : ''}`);
  const filled = columns.map((_, index) => index).filter((index) => !isGenerated(index));
  const names = filled.map((index) => quoted(columns[index]?.name ?? '')).join(', ');
  db.transaction(() => {
    for (const row of rows) {
      const values = filled.map((index) => bound(row[index] ?? null));
      const markers = values.map(([marker]) => marker).join(', ');
      try {
        db.prepare(`INSERT INTO ${quoted(table)} (${names}) VALUES (${markers})`).run(
          ...values.map(([, value]) => value),
        );
      } catch (refused) {
        if (!/^SQLITE_(?:CONSTRAINT|MISMATCH)/.test(String((refused as { code?: string }).code))) throw refused;
      }
    }
  })();
}
