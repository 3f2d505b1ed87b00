/** Going on after a run that ended early, and readings of the whole table one after the other. */
import { expect, test } from 'vitest';
import type { Json } from '../../singer/lossless.ts';
import { type Output, object } from '../contract/tap/outside.ts';
import { folder } from '../singer/folder.ts';
import { activated, Export, type Fields } from './servicedesk.ts';
import { Mirror } from './servicedesk-mirror.ts';

const place = folder();

const numbers = (count: number) => `WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < ${count})`;

/** Tables whose rows have a number, a key of two columns, or neither, and one that comes before them all. */
const TABLES = `
  CREATE TABLE a_first (id INTEGER PRIMARY KEY, v TEXT);
  INSERT INTO a_first ${numbers(40)} SELECT i, 'first ' || i FROM c;
  CREATE TABLE by_number (v TEXT, n INTEGER);
  INSERT INTO by_number (rowid, v, n) ${numbers(2000)} SELECT i - 1000, 'row ' || i, i FROM c;
  CREATE TABLE by_pair (one TEXT, two ANY, v TEXT, PRIMARY KEY (one, two)) WITHOUT ROWID;
  INSERT INTO by_pair ${numbers(1500)} SELECT char(97 + i % 7), CASE i % 3 WHEN 0 THEN i WHEN 1 THEN i + 0.5 ELSE 't' || i END,
    'pair ' || i FROM c;
  CREATE VIEW by_view AS SELECT n, v FROM by_number;
`;
const ALL = ['a_first', 'by_number', 'by_pair', 'by_view'];
const SETTINGS = { streams: ALL, batch_state_every: 600 };

/** Runs until a state covers a part of this stream (of a view: all before it), and ends there. */
async function stopIn(file: Export, stream: string, settings: Fields = SETTINGS): Promise<Output> {
  const mark = stream === 'by_view' ? `"currently_syncing":"by_view"` : '"progress":';
  const output = await file.run(settings, [], {
    onOutput(text, stop) {
      for (const line of text.split('\n')) {
        if (line.startsWith('{"type":"STATE"') && line.includes(`"${stream}"`) && line.includes(mark)) stop();
      }
    },
  });
  expect(output.code).toBe(143);
  return output;
}

async function whole(file: Export, settings: Fields = SETTINGS): Promise<Mirror> {
  const mirror = new Mirror();
  const output = await file.once(settings);
  expect(output.code, output.summary).toBe(0);
  mirror.load(output);
  return mirror;
}

function sent(output: Output, stream: string): number {
  return output.records(stream).length;
}

test.each([
  ['by_number', 2000],
  ['by_pair', 1500],
])('a reading that ended inside %s goes on behind the last confirmed row', async (stream, rows) => {
  const file = new Export(place.path, `resume-${stream}.db`);
  file.change(TABLES);
  const mirror = new Mirror();
  const first = await stopIn(file, stream);
  mirror.load(first, false);
  const progress = object(file.bookmark(stream).progress);
  expect(Number(progress.read)).toBeGreaterThan(0);
  expect(Number(progress.read)).toBeLessThan(rows);
  expect(activated(first)[stream]).toBeUndefined();
  const second = await file.run(SETTINGS);
  expect(second.code, second.summary).toBe(0);
  expect(second.events('sweep_resumed')).toHaveLength(1);
  expect(sent(second, stream)).toBe(rows - Number(progress.read));
  expect(sent(second, 'a_first')).toBe(0);
  expect(activated(second)[stream]).toBe(object(first.states[0]?.sweep).version);
  mirror.load(second);
  const expected = await whole(file);
  for (const name of ALL.slice(0, 3)) expect(mirror.rows(name), name).toEqual(expected.rows(name));
  expect(file.state.sweep).toBeNull();
});

test.each([
  ['a setting that reads values in another way', { slash_date_order: 'MDY' }],
  ['another policy', { reject_policy: 'row' }],
])('after %s nothing is gone on with', async (_what, change) => {
  const file = new Export(place.path, `manner-${Object.keys(change)[0]}.db`);
  file.change(TABLES);
  const first = await stopIn(file, 'by_number');
  const second = await file.run({ ...SETTINGS, ...change });
  expect(second.code, second.summary).toBe(0);
  expect(second.events('sweep_resumed')).toEqual([]);
  expect(sent(second, 'by_number')).toBe(2000);
  const version = Number(object(first.states[0]?.sweep).version);
  expect(activated(second).by_number).toBeGreaterThan(version);
});

test('a run that ends before any row is confirmed leaves its version to the next', async () => {
  const file = new Export(place.path, 'first.db');
  file.change(`CREATE TABLE t (id INTEGER PRIMARY KEY, n REAL);
    INSERT INTO t ${numbers(12_000)} SELECT i, CASE WHEN i = 7 THEN 'seven' ELSE i / 2.0 END FROM c`);
  const settings = { batch_state_every: 20_000 };
  const first = await file.run(settings, [], {
    onOutput(text, stop) {
      if (text.includes('"RECORD"')) stop();
    },
  });
  expect(first.code).toBe(143);
  expect(first.states).toHaveLength(1);
  expect(first.records('_sd_rejects')).toHaveLength(1);
  const second = await file.run(settings);
  expect(second.records('_sd_rejects')).toEqual(first.records('_sd_rejects'));
});

test('keys of every storage class are places to go on from', async () => {
  const file = new Export(place.path, 'each-row.db');
  // Each row is so long that it is read alone.
  file.change(`CREATE TABLE t (k ANY PRIMARY KEY, v TEXT, length AS (length(v)), pad TEXT) WITHOUT ROWID;
    INSERT INTO t (k, v, pad) SELECT column1, column2, printf('%.*c', 1100000, 'x') FROM (VALUES (1, 'a'), (2.5, 'b'),
      (-9e999, 'c'), (9e999, 'd'), (9007199254740993, 'e'), ('text', 'f'), ('Gr\u00f6\u00dfe', 'g'), ('', 'h'),
      (CAST(x'c328' AS TEXT), 'i'), (CAST(x'c329' AS TEXT), 'j'), ('nul' || char(0) || 'z', 'k'), ('zz', 'l'))`);
  const settings = { batch_state_every: 1, utf8_policy: 'replace' };
  const seen: Json[] = [];
  let runs = 0;
  for (; file.state.sweep !== null && runs < 30; runs += 1) {
    let states = 0;
    const output = await file.run(settings, [], {
      // One state more each time: behind a key that is no UTF-8 there is no place to go on from.
      onOutput(text, stop) {
        states += text.split('{"type":"STATE"').length - 1;
        if (states > runs / 2) stop();
      },
    });
    expect([0, 143], output.summary).toContain(output.code);
    const end = output.messages.findLastIndex(({ type }) => type === 'STATE');
    const records = output.messages.slice(0, end).filter(({ type }) => type === 'RECORD');
    seen.push(...records.map(({ record }) => object(record).v ?? null));
  }
  expect(runs).toBeGreaterThan(3);
  expect(file.state.sweep).toBeNull();
  expect([...new Set(seen)].sort()).toEqual([...'abcdefghijkl']);
  expect(seen.length).toBeLessThan(runs * 12);
});

test('after a change of the file everything is read again, under a new version', async () => {
  const file = new Export(place.path, 'changed.db');
  file.change(TABLES);
  const first = await stopIn(file, 'by_number');
  file.change(`UPDATE a_first SET v = 'changed' WHERE id = 7; DELETE FROM by_number WHERE n = 5`);
  const second = await file.run(SETTINGS);
  expect(second.code, second.summary).toBe(0);
  expect(second.events('sweep_resumed')).toEqual([]);
  expect([sent(second, 'a_first'), sent(second, 'by_number')]).toEqual([40, 1999]);
  const version = Number(object(first.states[0]?.sweep).version);
  expect(activated(second).by_number).toBeGreaterThan(version);
  const mirror = new Mirror();
  mirror.load(first, false);
  mirror.load(second);
  expect(mirror.rows('by_number')).toEqual((await whole(file)).rows('by_number'));
});

test('a view is begun again, and the tables that were done are not', async () => {
  const file = new Export(place.path, 'view.db');
  file.change(TABLES);
  await stopIn(file, 'by_view');
  expect(object(file.state.bookmarks).by_view).toBeUndefined();
  const second = await file.run(SETTINGS);
  expect(ALL.map((stream) => sent(second, stream))).toEqual([0, 0, 0, 2000]);
});

test('a second reading removes the rows that are gone', async () => {
  const file = new Export(place.path, 'twice.db');
  file.change(TABLES);
  const mirror = new Mirror();
  const first = await file.run(SETTINGS);
  mirror.load(first);
  file.change(
    `DELETE FROM by_number WHERE n % 10 = 3; DELETE FROM by_pair WHERE one = 'b'; UPDATE a_first SET v = 'new'`,
  );
  const second = await file.run(SETTINGS);
  mirror.load(second);
  for (const stream of ALL.slice(0, 3)) {
    expect(activated(second)[stream]).toBeGreaterThan(Number(activated(first)[stream]));
    expect(mirror.versions(stream)).toEqual([activated(second)[stream]]);
    expect(mirror.rows(stream)).toEqual((await whole(file)).rows(stream));
  }
});

test('a version is above every earlier one, also when the clock goes back', async () => {
  const file = new Export(place.path, 'clock.db');
  file.change(TABLES);
  const first = await file.run(SETTINGS);
  file.clock.advance(-86_400_000);
  expect(activated(await file.run(SETTINGS)).by_number).toBe(Number(activated(first).by_number) + 1);
});

test('another replication key in the middle of a first reading begins that table again', async () => {
  const file = new Export(place.path, 'other-key.db');
  file.change(`CREATE TABLE t (id INTEGER PRIMARY KEY, at TIMESTAMP);
    INSERT INTO t ${numbers(900)} SELECT i, datetime('2025-01-01', i || ' minutes') FROM c`);
  const settings = { batch_state_every: 400 };
  await stopIn(file, 't', { ...settings, incremental: { t: 'at' } });
  const second = await file.run({ ...settings, incremental: { t: 'id' } });
  expect(sent(second, 't')).toBe(900);
  expect(file.bookmark('t')).toMatchObject({ replication_key: 'id', replication_key_value: 900 });
});
