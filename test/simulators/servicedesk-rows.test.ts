import { beforeAll, describe, expect, test } from 'vitest';
import { DAY, periodOf } from '../../simulators/servicedesk/calendar.ts';
import { Author } from '../../simulators/servicedesk/prose.ts';
import { createStatement, tablesOf, VARIANTS } from '../../simulators/servicedesk/schema.ts';
import { Substream } from '../../simulators/servicedesk/substream.ts';
import { Tickets } from '../../simulators/servicedesk/tickets.ts';
import { timesheetRows } from '../../simulators/servicedesk/timesheets.ts';
import { WORDS } from '../../simulators/servicedesk/words.ts';
import { DEFAULTS, type Generated, generating, hashOf } from './servicedesk-files.ts';

const make = generating();
const BIG = ['tickets', 'comments', 'timesheets'] as const;

describe('chance', () => {
  const draws = (stream: Substream, row: number) => {
    stream.at(row);
    return Array.from({ length: 4 }, () => stream.next());
  };

  test('a row is drawn alike whatever was drawn before', () => {
    const stream = new Substream(7, 'tickets', 'TKT-Title');
    const first = draws(stream, 5);
    draws(stream, 6);
    expect(draws(stream, 5)).toEqual(first);
  });

  test.each([
    ['seed', new Substream(8, 'tickets', 'TKT-Title')],
    ['seed beyond 32 bits', new Substream(7 + 2 ** 32, 'tickets', 'TKT-Title')],
    ['table', new Substream(7, 'comments', 'TKT-Title')],
    ['column', new Substream(7, 'tickets', 'TKT-Team')],
  ])('another %s gives other draws', (_what, other) => {
    expect(draws(other, 5)).not.toEqual(draws(new Substream(7, 'tickets', 'TKT-Title'), 5));
  });

  test('draws are spread evenly and have the mean they are asked for', () => {
    const stream = new Substream(1, 'test', 'test');
    const rows = Array.from({ length: 20_000 }, (_, row) => row);
    const tenths = Array.from({ length: 10 }, () => 0);
    for (const row of rows) {
      const tenth = Math.floor(stream.at(row).next() * 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const count of tenths) expect(count / 2000).toBeCloseTo(1, 0.7);
    const mean = (draw: (row: number) => number) => rows.reduce((sum, row) => sum + draw(row), 0) / rows.length;
    expect(mean((row) => stream.at(row).geometric(6))).toBeCloseTo(6, 0);
    expect(mean((row) => stream.at(row).logNormal(3.898, 0.6, 100_000)) / 59).toBeCloseTo(1, 1);
    expect(mean((row) => Number(Substream.oneIn(125, row, stream)))).toBe(1 / 125);
  });
});

test('there are 400 words', () => expect(new Set(WORDS).size).toBe(400));

describe('a seed', () => {
  test('gives the same content again, another one gives other content', async () => {
    const [first, again, other] = [
      await make({ profile: 'dirty' }),
      await make({ profile: 'dirty' }),
      await make({ seed: 2 }),
    ];
    expect(again.manifest).toEqual(first.manifest);
    for (const table of BIG) {
      expect(hashOf(again.db, table)).toBe(hashOf(first.db, table));
      expect(other.manifest.tables[table].logical_hash_clean).not.toBe(first.manifest.tables[table].logical_hash_clean);
    }
  });

  test('gives the same first rows to a larger file', async () => {
    const [small, large] = [await make({ rows: 6000 }), await make({ rows: 9000 })];
    for (const table of BIG) {
      // The last comments of the smaller file are those that its tickets had too few of.
      const rows = Math.floor(small.manifest.tables[table].rows * 0.9);
      const first = ({ db }: Generated) => db.prepare(`SELECT * FROM ${table} ORDER BY rowid LIMIT ${rows}`).all();
      expect(first(large)).toEqual(first(small));
    }
  });

  test('gives the same values beside a column that is filled in addition', async () => {
    const [before, after] = [await make(), await make({ variant: 'drift2026' })];
    expect(after.value(`SELECT count("TS-Sub Category") - count(*) FROM timesheets`)).toBe(0);
    after.db.exec(`UPDATE timesheets SET "TS-Sub Category" = NULL`);
    for (const table of BIG) expect(hashOf(after.db, table)).toBe(hashOf(before.db, table));
  });
});

describe('the tables', () => {
  test('have the columns and declared types of the source', () => {
    const { tickets, comments, timesheets, comment_quality, cloud_team_roster, import_metadata } = tablesOf('base');
    const all = [tickets, comments, timesheets, comment_quality, cloud_team_roster, import_metadata];
    expect(all.map(({ columns }) => columns.length)).toEqual([60, 10, 21, 17, 3, 9]);
    for (const { columns } of all) expect(new Set(columns.map(({ name }) => name)).size).toBe(columns.length);
    expect(createStatement(cloud_team_roster)).toBe(
      'CREATE TABLE "cloud_team_roster" ("Name" TEXT, "Email" TEXT, "username" TEXT)',
    );
    const declared = (table: typeof tickets, type: string) =>
      table.columns.filter((column) => column.declared === type).map(({ name }) => name);
    expect(declared(tickets, 'TIMESTAMP')).toEqual(['TKT-Created Time', 'TKT-Modified Time', 'TKT-SLA Closure Date']);
    expect(declared(tickets, 'REAL')).toEqual(['TKT-Parent ID', 'TKT-Account Id', 'TKT-Related CI Ref#']);
    expect(declared(comments, 'TIMESTAMP')).toEqual(['created_time']);
    expect(declared(timesheets, 'REAL')).toEqual(['TS-Sub Category', 'TS-Hours']);
  });

  test.each(VARIANTS)('variant %s has its indexes and no others', async (variant) => {
    const { db } = await make({ rows: 1000, variant, profile: 'dirty' });
    const tables = db.prepare("SELECT tbl_name FROM sqlite_schema WHERE type = 'index' ORDER BY 1").pluck().all();
    const expected = {
      base: ['comment_quality'],
      no_index: [],
      keys: ['comment_quality', 'comments'],
      drift2026: ['comment_quality'],
    };
    // comments, twice: the index of its key has the name of its table.
    expect(tables).toEqual(expected[variant].sort());
    const key = db.prepare("SELECT count(*) FROM pragma_table_info('tickets') WHERE pk = 1").pluck().get();
    expect(key).toBe(variant === 'keys' ? 1 : 0);
  });

  test('have rows in the proportions of the original', async () => {
    const { manifest } = await make({ rows: 5000 });
    const rows = Object.fromEntries(Object.entries(manifest.tables).map(([name, table]) => [name, table.rows]));
    expect(rows).toEqual({
      tickets: 210,
      comments: 2078,
      timesheets: 2712,
      comment_quality: 121,
      cloud_team_roster: 48,
      import_metadata: 16,
    });
  });
});

describe('values of a clean file', () => {
  let file: Generated;
  const share = (table: string, condition: string) => file.value(`SELECT avg(coalesce(${condition}, 0)) FROM ${table}`);
  beforeAll(async () => {
    file = await make({ rows: 60_000 });
  });

  test.each([
    ['TKT-Parent ID', 0.022],
    ['TKT-Customer Reference', 0.15],
    ['TKT-SLA', 0.68],
    ['TKT-Account Id', 0.97],
    ['TKT-Actual Response Date', 0.63],
    ['TKT-Actual Resolution Date', 0.53],
    ['TKT-SLA Met', 0.94],
    ['TKT-Closure Date', 0.73],
    ['TKT-SLA Closure Date', 0.7],
    ['TKT-Solution', 0.978],
    ['Chg-Type', 0.008],
    ['Chg-Success', 0.006],
    ['TKT-Platform', 0.4],
  ])('%s is filled in a share of %d of the tickets', (column, target) => {
    const { rows } = file.manifest.tables.tickets;
    // Three and a half standard deviations of a share.
    const tolerance = 3.5 * Math.sqrt((target * (1 - target)) / rows);
    expect(Math.abs(share('tickets', `"${column}" IS NOT NULL`) - target)).toBeLessThan(tolerance);
  });

  test.each([
    ['tickets', `"TKT-Status" = 'Closed'`, 0.728],
    ['tickets', `"TKT-Category" = 'Alert'`, 0.369],
    ['tickets', `"TKT-Root Cause Category" = '--None--'`, 0.029],
    ['tickets', `"TKT-Team" = 'Team-01'`, 0.23],
    ['tickets', `"TKT-Severity" = 'P3'`, 0.55],
    ['comments', `user_name = 'sysbot'`, 0.61],
    ['comments', `visible_to_customer = 'Yes'`, 0.1],
    ['comments', `visible_to_customer = 'No'`, 0.05],
    ['timesheets', `"TS-Crm ID" = 0`, 0.2],
    ['timesheets', `"TS-Description" IS NOT NULL`, 0.519],
    ['timesheets', `"TS-Hours" > 0 AND "TS-Hours" <= 8 AND "TS-Hours" * 4 = CAST("TS-Hours" * 4 AS INTEGER)`, 0.999],
  ])('%s: %s in a share of %d', (table, condition, target) => {
    expect(Math.abs(share(table, condition) - target)).toBeLessThan(0.03);
  });

  test('lengths, titles, gaps between ids', () => {
    const length = (column: string, table: string) => file.value(`SELECT avg(length("${column}")) FROM ${table}`);
    expect(length('TKT-Title', 'tickets') / 59).toBeCloseTo(1, 0.9);
    expect(length('TKT-Description', 'tickets') / 1266).toBeCloseTo(1, 0.9);
    expect(length('comment_text', 'comments') / 609).toBeCloseTo(1, 0.9);
    expect(length('TS-Description', 'timesheets') / 138).toBeCloseTo(1, 0.9);
    expect(file.value(`SELECT 1.0 * count(DISTINCT "TKT-Title") / count(*) FROM tickets`)).toBeCloseTo(0.657, 1);
    const alerts = `SELECT avg("TKT-Title" IN ('Alert: disk space below limit', 'Alert: host does not answer',
      'Alert: backup job missed')) FROM tickets WHERE "TKT-Category" = 'Alert'`;
    expect(file.value(alerts)).toBeCloseTo(0.24, 1);
    expect(
      file.value(`SELECT (max("TKT-Ticket ID") - min("TKT-Ticket ID")) / (count(*) - 1.0) FROM tickets`),
    ).toBeCloseTo(7, 0);
    expect(file.value(`SELECT "TS-Hours" FROM timesheets GROUP BY 1 ORDER BY count(*) DESC LIMIT 1`)).toBe(0.5);
  });

  test('special characters are in texts', () => {
    const withIt = (piece: string) => share('comments', `instr(comment_text, ${piece}) > 0`);
    expect(withIt('char(13, 10)')).toBeCloseTo(0.03, 2);
    expect(withIt('char(9)')).toBeCloseTo(0.02, 2);
    for (const piece of ['char(92)', 'char(128295)', 'char(34)']) expect(withIt(piece)).toBeCloseTo(0.01, 2);
  });

  test('times are in order and in their period', () => {
    const outOfOrder = `SELECT count(*) FROM tickets WHERE
      coalesce("TKT-Actual Response Date", "TKT-Created Time") < "TKT-Created Time"
      OR coalesce("TKT-Actual Resolution Date", "TKT-Actual Response Date") < "TKT-Actual Response Date"
      OR coalesce("TKT-Closure Date", "TKT-Actual Resolution Date") < "TKT-Actual Resolution Date"
      OR coalesce("TKT-Closure Date", "TKT-Created Time") > "TKT-Modified Time"
      OR "TKT-Modified Time" >= '2025-10-17' OR "TKT-Modified Time" < "TKT-Created Time"
      OR "TKT-Month Created" <> substr("TKT-Created Time", 1, 7)
      OR coalesce("TKT-Month Closed", '') <> coalesce(substr("TKT-Closure Date", 1, 7), '')`;
    expect(file.value(outOfOrder)).toBe(0);
    const range = (column: string, table: string) =>
      file.db
        .prepare(`SELECT substr(min("${column}"), 1, 10), substr(max("${column}"), 1, 10) FROM ${table}`)
        .raw()
        .get();
    expect(range('TKT-Created Time', 'tickets')).toEqual(['2025-07-03', '2025-10-13']);
    expect(range('TS-Date', 'timesheets')).toEqual(['2025-07-01', '2025-10-16']);
    expect(
      file.value(`SELECT count(*) FROM comments JOIN tickets ON CAST(ticket_id AS INTEGER) = "TKT-Ticket ID"
        WHERE created_time NOT BETWEEN "TKT-Created Time" AND "TKT-Modified Time"`),
    ).toBe(0);
    const weekend = `strftime('%w', "TKT-Created Time") IN ('0', '6')`;
    expect(share('tickets', weekend)).toBeCloseTo(29 / (29 + 5 * 74), 1);
  });

  test('every comment has a ticket, most timesheets have none', () => {
    expect(
      file.value(
        `SELECT count(*) FROM comments WHERE CAST(ticket_id AS INTEGER) NOT IN (SELECT "TKT-Ticket ID" FROM tickets)`,
      ),
    ).toBe(0);
    const orphans = file.value(`SELECT avg(id NOT IN (SELECT "TKT-Ticket ID" FROM tickets))
      FROM (SELECT DISTINCT "TS-Crm ID" AS id FROM timesheets WHERE "TS-Crm ID" <> 0)`);
    expect(orphans).toBeCloseTo(0.907, 1.7);
    expect(file.value('SELECT 1.0 * count(*) / (SELECT count(*) FROM tickets) FROM comments')).toBeCloseTo(9.885, 1);
  });

  test('keys are unique, and so are timesheets by person, day, start and ticket', () => {
    for (const [table, key] of [
      ['tickets', '"TKT-Ticket ID"'],
      ['comments', 'comment_id'],
      ['timesheets', `"TS-User Username", "TS-Date", coalesce("TS-Time From", ''), "TS-Crm ID"`],
    ]) {
      expect(file.value(`SELECT count(*) FROM ${table}`)).toBe(
        file.value(`SELECT count(*) FROM (SELECT DISTINCT ${key} FROM ${table})`),
      );
    }
  });

  test('they stay unique when people have used every minute of the period', () => {
    const days = periodOf(DEFAULTS.asOf);
    const author = new Author(1, 1);
    const period = { ...days, firstTimesheet: days.asOf - 3 * DAY };
    const rows = [...timesheetRows(1, 20_000, new Tickets(1, 2000, days, author), period, author, 'base')];
    const keys = rows.map((row) =>
      ['TS-User Username', 'TS-Date', 'TS-Time From', 'TS-Crm ID'].map((column) => row[column]).join(' '),
    );
    expect(new Set(keys).size).toBe(keys.length);
    expect(rows.filter((row) => row['TS-User Username'] === 'agent.0001').length).toBeGreaterThan(3 * 600);
  });

  test('ratings belong to comments', () => {
    expect(file.value('SELECT count(*) FROM comment_quality')).toBe(file.manifest.tables.comment_quality.rows);
    expect(
      file.value('SELECT count(*) FROM comment_quality q JOIN comments c USING (comment_id, ticket_id, created_time)'),
    ).toBe(file.manifest.tables.comment_quality.rows);
    expect(file.value('SELECT count(*) FROM comment_quality WHERE quality_score NOT BETWEEN 1 AND 5')).toBe(0);
  });

  test('all names are invented', () => {
    const wrong = (table: string, column: string, pattern: string) =>
      file.value(`SELECT count(*) FROM ${table} WHERE NOT "${column}" GLOB '${pattern}'`);
    expect(wrong('tickets', 'TKT-Account Name', 'Client-[0-9][0-9][0-9][0-9]')).toBe(0);
    expect(wrong('tickets', 'TKT-Client Name', 'End User [0-9]*')).toBe(0);
    expect(wrong('timesheets', 'TS-User Full Name', 'Agent [0-9][0-9][0-9][0-9]')).toBe(0);
    expect(wrong('cloud_team_roster', 'Email', 'agent.[0-9][0-9][0-9][0-9]@example.test')).toBe(0);
    const assigned = file.db.prepare(`SELECT DISTINCT "TKT-Assigned To User" FROM tickets`).pluck().all();
    expect(assigned.filter((name) => name !== null && !/^Agent \d{4}$/.test(String(name)))).toEqual([
      ' PendingAssignment',
    ]);
  });
});
