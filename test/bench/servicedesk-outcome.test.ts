import Sqlite from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { isSame, type Loaded, outcomeOf, TOLD_NOTHING, type Told } from '../../bench/servicedesk-outcome.ts';
import type { Manifest } from '../../simulators/servicedesk/manifest.ts';
import { folder } from '../singer/folder.ts';

const database = folder().at('desk.db');
const db = new Sqlite(database);
db.exec(`CREATE TABLE comments (comment_id TEXT, ticket_id TEXT, created_time TIMESTAMP);
  INSERT INTO comments VALUES
    ('9001', '3600182', '2025-07-11 14:14:00'),
    ('9002', 'none', '17/07/2025 11:52'),
    ('9003', '3600184', '2025-07-13 14:14:00'),
    ('9003', '3600184', '2025-07-13 14:14:00'),
    (NULL, '3600185', NULL)`);
db.close();

const meaning = { table: 'comments', rowid: 2, column: 'created_time', expected: '2025-07-17 11:52:00' };
const manifest = { defects: { D01: { name: 'slash_dmy_certain', cells: [meaning] } } } as unknown as Manifest;

const FIRST = ['9001', '3600182', '2025-07-11 14:14:00'];
const SECOND = ['9002', 'none', '17/07/2025 11:52'];
const THIRD = ['9003', '3600184', '2025-07-13 14:14:00'];
const NAMELESS = [null, '3600185', null];
const ALL = [FIRST, SECOND, THIRD, THIRD, NAMELESS];

function outcome(rows: readonly Loaded[], told: Told = TOLD_NOTHING) {
  const loaded = (async function* () {
    yield* rows;
  })();
  return outcomeOf({ database, manifest }, 'comments', loaded, told);
}

const FAITHFUL = { loaded: 5, aside: 0, merged: 0, lost: 0, corrected: 0, asideValues: 0, changed: 0 };

describe('what became of a file', () => {
  test('nothing, when every row is as it was', async () => {
    expect(await outcome(ALL)).toEqual(FAITHFUL);
  });

  test('a row that nobody tells of is lost, one that was told of is not', async () => {
    const without = [FIRST, SECOND, THIRD, THIRD];
    expect(await outcome(without)).toEqual({ ...FAITHFUL, loaded: 4, lost: 1 });
    expect(await outcome(without, { rows: 1, values: new Set() })).toEqual({ ...FAITHFUL, loaded: 4, aside: 1 });
    expect(await outcome([])).toEqual({ ...FAITHFUL, loaded: 0, lost: 5 });
  });

  test('one of two rows with the same key is merged into the other', async () => {
    expect(await outcome([FIRST, SECOND, THIRD, NAMELESS])).toEqual({ ...FAITHFUL, loaded: 4, merged: 1 });
  });

  test('a value that means the same is corrected, any other is changed', async () => {
    const dated = (time: string | null) => [FIRST, ['9002', 'none', time], THIRD, THIRD, NAMELESS];
    expect(await outcome(dated('2025-07-17 11:52:00'))).toEqual({ ...FAITHFUL, corrected: 1 });
    expect(await outcome(dated('2025-07-17 01:52:00'))).toEqual({ ...FAITHFUL, changed: 1 });
    expect(await outcome(dated(null))).toEqual({ ...FAITHFUL, changed: 1 });
  });

  test('a value left empty counts as set aside only where that was told', async () => {
    const rows = [FIRST, ['9002', null, '17/07/2025 11:52'], THIRD, THIRD, NAMELESS];
    const told = (place: string) => ({ rows: 0, values: new Set([place]) });
    expect(await outcome(rows, told('2/ticket_id'))).toEqual({ ...FAITHFUL, asideValues: 1 });
    expect(await outcome(rows, told('3/ticket_id'))).toEqual({ ...FAITHFUL, changed: 1 });
  });

  test('a row whose name is not in the file counts as changed', async () => {
    const rows = [['9001x', '3600182', '2025-07-11 14:14:00'], SECOND, THIRD, THIRD, NAMELESS];
    expect(await outcome(rows)).toMatchObject({ loaded: 5, changed: 1 });
  });
});

test.each([
  [null, null, true],
  [null, '', false],
  ['', null, false],
  ['', '', true],
  ['3600182.0', '3600182', true],
  ['007', '7', false],
  [3_700_398, '3700398', true],
  [16_777_217, '16777216', false],
  [0, '', false],
  [9_223_372_036_854_775_807n, '9223372036854775807', true],
  ['2025-07-11 14:14:00', '2025-07-11 14:14:00+00', true],
  ['2025-07-11T14:14:00+10:00', '2025-07-11 04:14:00', false],
  [Buffer.from('d0cf', 'hex'), '\\xd0cf', true],
  [Buffer.from('d0cf', 'hex'), 'd0cf', false],
  ['caf\ufffd', 'caf\ufffd', false],
])('%o in the file and %o in PostgreSQL: the same %s', (stored, loaded, same) => {
  expect(isSame(stored, loaded)).toBe(same);
});
