/** Generated ServiceDesk databases, whose manifests say of every damaged cell what has to become of it. */
import { describe, expect, test } from 'vitest';
import type { Profile } from '../../profiles/artifact.ts';
import { columnRules } from '../../profiles/column-rules.ts';
import type { ExpectedSchema } from '../../profiles/expected.ts';
import type { SqliteValue } from '../../profiles/grammar.ts';
import { profileDatabase } from '../../profiles/profile.ts';
import { type ConvertedRow, convertRow, type RowColumn } from '../../profiles/rows.ts';
import { storedForm } from '../../profiles/stored-form.ts';
import { quoted } from '../../profiles/tables.ts';
import { tablesOf } from '../../simulators/servicedesk/schema.ts';
import { type Generated, generating } from '../simulators/servicedesk-files.ts';

const TYPES = { integer: 'integer', number: 'numeric', timestamp: 'timestamp', text: 'text' } as const;
const YES_NO = 'TKT-SLA Met';
const KEYS: { readonly [table: string]: readonly string[] } = { tickets: ['TKT-Ticket ID'], comments: ['comment_id'] };

const EXPECTED: ExpectedSchema = {
  tables: Object.fromEntries(
    Object.values(tablesOf('base')).map((table) => [
      table.name,
      {
        columns: Object.fromEntries(
          table.columns.map(({ name, kind }) => [name, { type: name === YES_NO ? 'yes_no' : TYPES[kind] }]),
        ),
        key: KEYS[table.name] ?? [],
        required: table.name === 'tickets' ? ['TKT-Created Time'] : [],
      },
    ]),
  ),
};

function profileOf({ db }: Generated): Profile {
  return profileDatabase(db, { runId: 'test', source: {}, expected: EXPECTED, asOf: '2025-10-17' });
}

const generated = generating();

function countOf(profile: Profile, ...classes: readonly string[]): number {
  return profile.findings
    .filter((finding) => classes.includes(finding.class))
    .reduce((sum, finding) => sum + finding.count, 0);
}

/** Rows of a table converted, by their row number. */
function* converted(
  { db }: Generated,
  profile: Profile,
  table: string,
): Generator<[number, ConvertedRow, RowColumn[]]> {
  const columns = Object.entries(profile.tables[table]?.columns ?? {}).map(
    ([name, column]): RowColumn => ({ name, rules: columnRules(column), key: column.key }),
  );
  const names = columns.map(({ name }) => quoted(name));
  const rows = db
    .prepare(`SELECT rowid, ${names} FROM ${quoted(table)}`)
    .raw()
    .safeIntegers(true);
  const bytes = (rowid: bigint, index: number) =>
    db
      .prepare(`SELECT CAST(${names[index]} AS BLOB) FROM ${quoted(table)} WHERE rowid = ?`)
      .pluck()
      .get(rowid);
  for (const [rowid, ...values] of rows.all() as [bigint, ...SqliteValue[]][]) {
    const row = convertRow(values, columns, (index) => ({ bytes: () => bytes(rowid, index) as Uint8Array }));
    yield [Number(rowid), row, columns];
  }
}

describe('a file with every defect', () => {
  const made = generated({ profile: 'dirty', rows: 8000, seed: 3 });

  test('each damaged cell becomes what it was, or is set aside for the right reason, and no other cell changes', async () => {
    const file = await made;
    const profile = profileOf(file);
    const truth = Object.values(file.manifest.defects).flatMap(({ cells }) => cells);
    const wanted = new Map(truth.map((cell) => [`${cell.table}/${cell.rowid}/${cell.column}`, cell.expected]));
    const tallies: Record<'values' | 'rows', Record<string, number>> = { values: {}, rows: {} };
    let changed = 0;
    const tally = (kind: keyof typeof tallies, name: string) => {
      tallies[kind][name] = (tallies[kind][name] ?? 0) + 1;
    };
    const wrong: unknown[] = [];
    for (const table of ['tickets', 'comments', 'timesheets']) {
      for (const [rowid, row, columns] of converted(file, profile, table)) {
        if ('rejected' in row) {
          tally('rows', row.rejected.reason);
          continue;
        }
        changed += row.changes.length;
        for (const { reason } of row.setAside) tally('values', reason);
        columns.forEach(({ name, rules }, index) => {
          const place = `${table}/${rowid}/${name}`;
          const stored = storedForm(row.values[index] ?? null, rules.type, rules.naive);
          const right = wanted.get(place);
          if (right !== undefined && String(stored) !== String(right)) wrong.push([place, stored, right]);
        });
      }
    }
    const { changed_cells, rejected_rows, rejected_values } = file.manifest.expected;
    const { duplicate_key: _found_by_comparing_rows, ...found_alone } = rejected_rows;
    expect(wrong).toEqual([]);
    expect(tallies.values).toEqual(rejected_values);
    expect(tallies.rows).toEqual(found_alone);
    expect(changed).toBe(Object.values(changed_cells).reduce((sum, count) => sum + count, 0));
  });

  test('types are those of the source, whatever its labels say, even when nobody expects anything', async () => {
    // Under a label that says text, ids of which some are no numbers may as well be codes.
    const damaged = ['comments.comment_id', 'comments.ticket_id', 'comments.user_id', 'comment_quality.comment_id'];
    const { db } = await made;
    const profile = profileDatabase(db, { runId: 'test', source: {} });
    const mistaken = Object.values(tablesOf('base')).flatMap(({ name: table, columns }) =>
      columns.flatMap(({ name, kind }) => {
        const found = profile.tables[table]?.columns[name];
        const known = found?.decision !== 'no_values' && found?.decided_type !== 'yes_no';
        if (damaged.includes(`${table}.${name}`) && found?.decided_type === 'text') return [];
        // Whole numbers under REAL may be ids, and may be hours.
        if (found?.declared === 'REAL' && kind === 'integer' && found.decided_type === 'numeric') return [];
        return known && found?.decided_type !== TYPES[kind] ? [[table, name, found?.decided_type]] : [];
      }),
    );
    expect(mistaken).toEqual([]);
  });
});

test('nine slash dates and fifteen empty dates are found, and nothing that nothing can repair', async () => {
  const profile = profileOf(await generated({ profile: 'phase1' }));
  expect(countOf(profile, 'slash_dmy_certain', 'slash_ambiguous')).toBe(9);
  expect(countOf(profile, 'empty')).toBe(15);
  expect(profile.breaker.run.corrupt).toBe(0);
  expect(profile.findings.filter(({ severity }) => severity === 'CRITICAL' || severity === 'HIGH')).toEqual([]);
});

test('a clean file needs no change', async () => {
  const file = await generated({ profile: 'clean' });
  const profile = profileOf(file);
  expect(new Set(profile.findings.map((finding) => finding.class))).toEqual(
    new Set(['timestamp_as_text', 'type_mismatch', 'future_date']),
  );
  for (const table of ['tickets', 'comments', 'timesheets']) {
    for (const [, row] of converted(file, profile, table)) expect(row).toMatchObject({ changes: [], setAside: [] });
  }
});

test.each([
  ['breaker', 1 / 4],
  ['breaker_edge', 1 / 5],
] as const)('%s: the share of corrupt creation times', async (profile, share) => {
  const [created] = profileOf(await generated({ profile })).breaker.required;
  expect(created?.column).toBe('TKT-Created Time');
  expect(created?.corrupt).toBe(Math.round((created?.values ?? 0) * share));
  if (profile === 'breaker_edge') expect(created?.ratio).toBe(0.2);
});
