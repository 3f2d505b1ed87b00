import { beforeAll, describe, expect, test } from 'vitest';
import type { Clean } from '../../simulators/servicedesk/rows.ts';
import { type Generated, generating, hashOf } from './servicedesk-files.ts';

const DATES = ['TKT-Created Time', 'TKT-Modified Time'];
const DATES_WITH_GAPS = [
  'TKT-Actual Response Date',
  'TKT-Actual Resolution Date',
  'TKT-Closure Date',
  'TKT-SLA Closure Date',
  'Chg-Planned Start Date',
  'Chg-Planned End Date',
  'Chg-Actual Start Date',
  'Chg-Actual End Date',
];

/** How many cells of these columns hold. */
function cells(table: string, columns: readonly string[], holds: (cell: string) => string): string {
  const counts = columns.map((column) => `(SELECT count(*) FROM ${table} WHERE ${holds(`"${column}"`)})`);
  return `SELECT ${counts.join(' + ')}`;
}

const slash = (cell: string) => `typeof(${cell}) = 'text' AND ${cell} GLOB '*/*/*'`;
const day = (cell: string) => `CAST(substr(${cell}, 1, instr(${cell}, '/') - 1) AS INTEGER)`;
const RESPONSE = ['TKT-Actual Response Date'];
const RESOLUTION = ['TKT-Actual Resolution Date'];
const CLOSURE = ['TKT-Closure Date'];
const TOKENS = "('nan', 'NaT', 'None', 'N/A')";
const ALL_COMMENTS =
  'comment_id, ticket_id, comment_text, user_id, user_name, owner_type, created_time, comment_type, team';
const NUMERIC_ID = "ticket_id GLOB '[0-9]*'";

/** What shows each class in a file, in SQL that knows nothing of the generator. */
const SHOWN_BY: Readonly<Record<string, string>> = {
  D01: cells('tickets', RESPONSE, (c) => `${slash(c)} AND ${day(c)} > 12`),
  D02: cells('tickets', RESPONSE, (c) => `${slash(c)} AND ${day(c)} <= 12`),
  D03: cells('tickets', CLOSURE, (c) => `${c} GLOB '*/*/* *:*:[0-9][0-9]'`),
  D04: cells('tickets', CLOSURE, (c) => `${c} GLOB '*/*/* *:[0-9][0-9] [AP]M'`),
  D05: cells('tickets', ['Chg-Planned Start Date'], slash),
  D06: cells(
    'tickets',
    RESOLUTION,
    (c) => `${c} LIKE '31/02/%' OR ${c} LIKE '29/02/2025%' OR ${c} LIKE '2025-02-31%' OR ${c} LIKE '%25:99:00'`,
  ),
  D07: cells('tickets', ['TKT-SLA Closure Date'], slash),
  D08: cells('tickets', ['Chg-Planned End Date'], (c) => `${c} LIKE '0000-00-00%'`),
  D09: `SELECT count(*) FROM tickets WHERE typeof("TKT-Modified Time") = 'real'`,
  D10: `SELECT count(*) FROM tickets WHERE typeof("TKT-Created Time") = 'integer'`,
  D11: `${cells('tickets', DATES_WITH_GAPS, (c) => `${c} IN ${TOKENS}`)}
        + (SELECT count(*) FROM comments WHERE user_name IN ${TOKENS})`,
  D12: cells('tickets', DATES_WITH_GAPS, (c) => `${c} = ''`),
  D13: `SELECT (SELECT count(*) FROM timesheets WHERE "TS-Hours" = '') + (SELECT count(*) FROM tickets WHERE "TKT-Parent ID" = '')`,
  D14: cells('tickets', DATES_WITH_GAPS, (c) => `${c} <> '' AND trim(${c}, ' ' || char(9)) = ''`),
  D15: cells('tickets', [...DATES, ...DATES_WITH_GAPS], (c) => `trim(${c}) <> ${c} AND trim(${c}) GLOB '[0-9]*'`),
  D16: `SELECT count(*) FROM comments WHERE created_time GLOB '*T*'`,
  D17: `SELECT count(*) FROM timesheets WHERE "TS-Date" = '2026-07-01 00:00:00'`,
  D18: `SELECT count(*) FROM timesheets WHERE substr("TS-Date", 1, 4) < '2020'`,
  D19: cells('tickets', CLOSURE, (c) => `${c} IN ('now', 'infinity', 'today', '-infinity')`),
  D20: `SELECT (SELECT count(*) FROM comments) - (SELECT count(*) FROM (SELECT DISTINCT * FROM comments))
        + (SELECT count(*) FROM timesheets) - (SELECT count(*) FROM (SELECT DISTINCT * FROM timesheets))`,
  D21: `SELECT (SELECT count(*) - count(DISTINCT "TKT-Ticket ID") FROM tickets)
        + (SELECT count(*) - count(DISTINCT comment_id) FROM (SELECT DISTINCT ${ALL_COMMENTS} FROM comments)
           WHERE comment_id >= '9000000' AND comment_id < '91')`,
  D22: `SELECT count(*) FROM comments
        WHERE ${NUMERIC_ID} AND CAST(ticket_id AS INTEGER) NOT IN (SELECT "TKT-Ticket ID" FROM tickets)`,
  D23: `SELECT count(*) FROM comments WHERE comment_id IS NULL`,
  D24: `SELECT count(*) FROM comments WHERE comment_id GLOB 'C-*x'`,
  D25: `SELECT count(*) FROM comments WHERE ticket_id GLOB '[0-9]*.0'`,
  D26: `SELECT count(*) FROM tickets WHERE "TKT-Account Id" > 9223372036854775807`,
  D27: `SELECT count(*) FROM timesheets WHERE "TS-Hours" <= 0 OR ("TS-Hours" > 24 AND "TS-Hours" <> '')`,
  D28: `SELECT count(*) FROM comments WHERE instr(comment_text, char(0)) > 0`,
  D29: `SELECT count(*) FROM tickets WHERE hex(CAST("TKT-Description" AS BLOB)) LIKE '%C328FFFE%'`,
  D30: `SELECT count(*) FROM comments WHERE length(comment_text) > 100000`,
  D31: `SELECT count(*) FROM comments WHERE instr(comment_text, replace(hex(zeroblob(50)), '0', char(10))) > 0`,
  D32: `SELECT count(*) FROM tickets WHERE "TKT-SLA Met" NOT IN ('yes', 'no')`,
  D33: `SELECT count(*) FROM tickets WHERE "TKT-Actual Resolution Date" GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9]*'
        AND "TKT-Actual Resolution Date" < CASE typeof("TKT-Created Time") WHEN 'text' THEN trim("TKT-Created Time")
          ELSE substr("TKT-Created Time", 1, 4) || '-' || substr("TKT-Created Time", 5, 2) || '-' || substr("TKT-Created Time", 7) END
        AND "TKT-Actual Resolution Date" NOT LIKE '2025-02-31%'`,
  D34: `SELECT count(*) FROM tickets WHERE typeof("TKT-Solution") = 'blob'`,
  D35: `SELECT count(*) FROM comments WHERE NOT ${NUMERIC_ID}`,
  D36: `SELECT count(*) FROM tickets WHERE "TKT-Parent ID" = 'none'`,
};

/** Classes whose rows leave when the file is cleaned. */
const LEAVE = ['D20', 'D21', 'D23', 'D24', 'D35'];

/** Classes that take a row as a whole. */
const WHOLE = [...LEAVE, 'D22'];

const make = generating();

/** Does to the file what its manifest expects of a cleaner. */
function clean({ db, manifest }: Generated): void {
  for (const [id, { cells: listed }] of Object.entries(manifest.defects)) {
    for (const { table, rowid, column, expected } of listed) {
      if (LEAVE.includes(id)) db.prepare(`DELETE FROM ${table} WHERE rowid = ?`).run(rowid);
      else if (column !== null) {
        db.prepare<[Clean, number]>(`UPDATE ${table} SET "${column}" = ? WHERE rowid = ?`).run(expected, rowid);
      }
    }
  }
}

describe('profile dirty', () => {
  let dirty: Generated;
  let unharmed: Generated;
  beforeAll(async () => {
    dirty = await make({ rows: 26_000, profile: 'dirty' });
    unharmed = await make({ rows: 26_000 });
  });

  test('has all 36 classes', () => {
    expect(Object.keys(dirty.manifest.defects).sort()).toEqual(Object.keys(SHOWN_BY).sort());
  });

  test.each(Object.keys(SHOWN_BY))('%s is in the file as often as the manifest says', (id) => {
    const defect = dirty.manifest.defects[id];
    const sql = SHOWN_BY[id] ?? '';
    expect(defect?.count).toBeGreaterThan(0);
    expect(defect?.cells).toHaveLength(defect?.count ?? -1);
    expect(dirty.value(sql)).toBe(defect?.count);
    expect(dirty.manifest.expected.findings[defect?.name ?? '']).toBe(defect?.count);
    expect(unharmed.value(sql), 'in a clean file').toBe(0);
  });

  test('counts of classes follow the rows', () => {
    expect(dirty.manifest.defects.D12?.count).toBe(Math.round((3000 * 26_000) / 260_000));
    expect(dirty.manifest.defects.D26?.count).toBe(1);
  });

  test('each listed cell holds the listed bytes', () => {
    const differing = Object.values(dirty.manifest.defects).flatMap(({ cells: listed }) =>
      listed
        .filter(({ column }) => column !== null)
        .filter(({ table, rowid, column, raw_b64 }) => {
          const stored = dirty.db
            .prepare<[number], Buffer | number | null>(
              `SELECT CASE typeof("${column}") WHEN 'text' THEN CAST("${column}" AS BLOB) ELSE "${column}" END FROM ${table} WHERE rowid = ?`,
            )
            .pluck()
            .get(rowid);
          if (typeof stored === 'number') return Number(Buffer.from(raw_b64 ?? '', 'base64').toString()) !== stored;
          return (stored?.toString('base64') ?? null) !== raw_b64;
        }),
    );
    expect(differing).toEqual([]);
  });

  test('each listed row has the listed key', () => {
    for (const { cells: listed } of Object.values(dirty.manifest.defects)) {
      for (const { table, rowid, key } of listed) {
        const columns = Object.keys(key).map((column) => `"${column}"`);
        expect(dirty.db.prepare(`SELECT ${columns.join(', ')} FROM ${table} WHERE rowid = ?`).get(rowid)).toEqual(key);
      }
    }
  });

  test('no cell has two defects, and rows that are hit as a whole have no other', () => {
    const listed = Object.entries(dirty.manifest.defects).flatMap(([id, defect]) =>
      defect.cells.map(({ table, rowid, column }) => ({
        isWhole: WHOLE.includes(id),
        row: `${table} ${rowid}`,
        column,
      })),
    );
    const whole = listed.filter(({ isWhole }) => isWhole).map(({ row }) => row);
    const cellsOf = listed.filter(({ isWhole }) => !isWhole);
    expect(new Set(whole).size).toBe(whole.length);
    expect(new Set(cellsOf.map(({ row, column }) => `${row} ${column}`)).size).toBe(cellsOf.length);
    const taken = new Set(whole);
    expect(cellsOf.filter(({ row }) => taken.has(row))).toEqual([]);
  });

  test('hashes: as generated, as damaged, as cleaned', () => {
    for (const table of ['tickets', 'comments', 'timesheets', 'comment_quality', 'import_metadata'] as const) {
      const { rows, logical_hash_clean, logical_hash_dirty } = dirty.manifest.tables[table];
      expect(hashOf(unharmed.db, table)).toBe(logical_hash_clean);
      expect(hashOf(dirty.db, table)).toBe(logical_hash_dirty);
      expect(dirty.value(`SELECT count(*) FROM ${table}`)).toBe(rows);
    }
    expect(dirty.manifest.tables.tickets.logical_hash_dirty).not.toBe(dirty.manifest.tables.tickets.logical_hash_clean);
    clean(dirty);
    const { removed_rows, rejected_rows, rows_loaded } = dirty.manifest.expected;
    let leaving = removed_rows + Object.values(rejected_rows).reduce((sum, count) => sum + count, 0);
    for (const table of ['tickets', 'comments', 'timesheets'] as const) {
      const { rows, logical_hash_expected_after_clean } = dirty.manifest.tables[table];
      expect(hashOf(dirty.db, table)).toBe(logical_hash_expected_after_clean);
      expect(dirty.value(`SELECT count(*) FROM ${table}`)).toBe(rows_loaded[table]);
      leaving -= rows - (rows_loaded[table] ?? 0);
    }
    expect(leaving).toBe(0);
  });

  test('every cell with a defect is changed, rejected or kept', () => {
    const { changed_cells, rejected_values } = dirty.manifest.expected;
    const total = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((sum, n) => sum + n, 0);
    const changing = Object.entries(dirty.manifest.defects)
      .filter(([id]) => !WHOLE.includes(id))
      .flatMap(([, { cells: listed }]) => listed)
      .filter(({ raw_b64, expected }) => raw_b64 !== Buffer.from(String(expected)).toString('base64'));
    expect(total(changed_cells) + total(rejected_values)).toBe(changing.length);
  });
});

test('phase1 has nine slash dates, fifteen empty dates and five future timesheets', async () => {
  const { value, manifest, db } = await make({ rows: 10_000, profile: 'phase1' });
  expect(Object.keys(manifest.defects).sort()).toEqual(['D01', 'D02', 'D12', 'D17']);
  expect(['D01', 'D02', 'D12', 'D17'].map((id) => value(SHOWN_BY[id] ?? ''))).toEqual([7, 2, 15, 5]);
  expect(hashOf(db, 'tickets')).toBe(manifest.tables.tickets.logical_hash_dirty);
  expect(manifest.tables.tickets.logical_hash_expected_after_clean).toBe(manifest.tables.tickets.logical_hash_clean);
});

describe('breaker', () => {
  const share = `SELECT avg("TKT-Created Time" LIKE 'CORRUPT-%') FROM tickets`;

  test('a quarter of the creation times is corrupt', async () => {
    const { value } = await make({ rows: 3333, profile: 'breaker' });
    expect(value(share)).toBeCloseTo(0.25, 2);
    expect(value(share)).toBeGreaterThan(0.2);
  });

  test.each([1000, 2500, 5021])('at the edge it is exactly a fifth, with %i rows', async (rows) => {
    const { value, manifest } = await make({ rows, profile: 'breaker_edge' });
    const { tickets, comments, timesheets } = manifest.tables;
    expect(value(`SELECT 5 * sum("TKT-Created Time" LIKE 'CORRUPT-%') - count(*) FROM tickets`)).toBe(0);
    expect(tickets.rows + comments.rows + timesheets.rows).toBe(rows);
  });
});

describe('other amounts', () => {
  test('a count and a share take the place of what the profile has', async () => {
    const asked = new Map([
      ['D01', { count: 20 }],
      ['D25', { rate: 0.1 }],
      ['D12', { count: 0 }],
    ]);
    const { value, manifest } = await make({ profile: 'phase1', defects: asked });
    expect(['D01', 'D12'].map((id) => value(SHOWN_BY[id] ?? ''))).toEqual([20, 0]);
    expect(value(SHOWN_BY.D25 ?? '')).toBe(Math.round(manifest.tables.comments.rows / 10));
  });

  test('more than the file has room for is refused', async () => {
    await expect(make({ defects: new Map([['D05', { count: 5000 }]]) })).rejects.toThrow(/^D05 was to take 5000, but/);
  });
});
