/** The proof that the quick way and the plain way give the same records, to the digit; as small or as long as asked for. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import { Export } from './servicedesk.ts';
import { make, oddTable } from './servicedesk-tables.ts';
import { BYTEWISE, bound, COLLATIONS, DECLARED, ORDINARY, type Stored, TYPES } from './servicedesk-values.ts';
import { Tables } from './servicedesk-ways.ts';

/** Rows that SQLite makes one block of. */
const GROUP = 64;

/** Every label and collation. */
export const ALL_LABELS: readonly string[] = DECLARED.flatMap((declared) =>
  COLLATIONS.map((collation) => `${declared} ${collation}`.trim()),
);

/** One label for each affinity and each way that it is read, and the collations where they count. */
export const LABELS: readonly string[] = [
  ...['INTEGER', 'REAL', 'NUMERIC', 'TEXT', 'BLOB', '', 'TIMESTAMP', 'CHARINT', 'BLOBTEXT', 'FLOATING POINT'],
  ...['TEXT', 'TIMESTAMP'].flatMap((declared) => [`${declared} COLLATE NOCASE`, `${declared} COLLATE RTRIM`]),
];

/** Every value in a column of this label, read as each type. */
export async function proveValues(folder: string, label: string): Promise<void> {
  const file = new Export(folder, `value-${label.replaceAll(/\W/g, '-')}.db`);
  const padding = Array.from({ length: GROUP - (ORDINARY.length % GROUP) }, () => null);
  const values: readonly Stored[] = [...ORDINARY, ...padding, ...BYTEWISE];
  file.change((db) => {
    db.exec(`CREATE TABLE t (v ${label})`);
    db.transaction(() => {
      for (const value of values) {
        const [marker, given] = bound(value);
        db.prepare(`INSERT INTO t VALUES (${marker})`).run(given);
      }
    })();
  });
  const tables = await Tables.open(file.path);
  try {
    for (const [type, schema] of Object.entries(TYPES)) {
      const both = await tables.bothWays(tables.plan('t', { v: schema }));
      expect(both?.quick, type).toEqual(both?.plain);
      expect(both?.plain.read).toBe(values.length);
      expect(both?.lines, type).toBeGreaterThan(0);
    }
  } finally {
    tables.close();
  }
}

/** So many tables of any kind. */
export async function proveTables(folder: string, runs: number, seed: number): Promise<void> {
  let [made, written] = [0, 0];
  await fc.assert(
    fc.asyncProperty(oddTable, fc.constantFrom('value', 'row'), async (table, rejectPolicy) => {
      made += 1;
      const path = join(folder, `odd-${made}.db`);
      new Export(folder, `odd-${made}.db`).change((db) => make(db, table));
      const tables = await Tables.open(path);
      try {
        const [found] = tables.found;
        const { columns } = table;
        const types = Object.fromEntries(
          columns.flatMap(({ name, type }) => (type === undefined ? [] : [[name, TYPES[type] ?? {}] as const])),
        );
        const plan = tables.plan(found?.origin.stream ?? '', types);
        expect(plan.columns.map(({ name }) => name)).toEqual(columns.map(({ name }) => name));
        const both = await tables.bothWays(plan, { rejectPolicy });
        if (both === undefined) return;
        written += both.lines;
        expect(both.quick).toEqual(both.plain);
        expect(both.plain.emitted + both.plain.rejected).toBe(both.plain.read);
      } finally {
        tables.close();
        rmSync(path);
      }
    }),
    { numRuns: runs, seed },
  );
  expect(written, 'rows that SQLite wrote').toBeGreaterThan(runs);
}
