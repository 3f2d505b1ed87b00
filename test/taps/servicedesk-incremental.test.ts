/** Reading what is new: bookmarks by their meaning, whatever is written, and the whole table when they mean nothing more. */
import { expect, test } from 'vitest';
import type { Output } from '../contract/tap/outside.ts';
import { folder } from '../singer/folder.ts';
import { activated, Export, lastWords } from './servicedesk.ts';
import { Mirror } from './servicedesk-mirror.ts';

const place = folder();

/** A hundred days in the form that SQLite writes, so that odd ones do not make the column one of texts. */
const DAYS = `WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 100)
  INSERT INTO t (id, at, v) SELECT i, datetime('2025-01-01', i || ' days'), 'day ' || i FROM c;`;
const LAST_DAY = '2025-04-11T00:00:00Z';
const BY_TIME = { incremental: { t: 'at' }, as_of: '2025-10-17T00:00:00Z' };

let made = 0;
function table(rows = DAYS, declared = 'TIMESTAMP'): Export {
  made += 1;
  const file = new Export(place.path, `incremental-${made}.db`);
  file.change(`CREATE TABLE t (id INTEGER PRIMARY KEY, at ${declared}, v TEXT); ${rows}`);
  return file;
}

const ids = (output: Output) => output.records('t').map(({ id }) => Number(id));

test('after inserts and updates that the key shows, the target holds what a whole reading gives', async () => {
  const file = table();
  const mirror = new Mirror();
  mirror.load(await file.run(BY_TIME));
  expect(file.bookmark('t')).toMatchObject({ replication_key: 'at', replication_key_value: LAST_DAY });
  file.change(`INSERT INTO t (id, at, v) VALUES (101, '2025-05-01 10:00:00', 'new'), (102, '2025-05-02 00:00:00', 'new');
    UPDATE t SET at = '2025-05-03 00:00:00', v = 'changed' WHERE id IN (5, 50)`);
  const second = await file.run(BY_TIME);
  expect(ids(second).sort((a, b) => a - b)).toEqual([5, 50, 100, 101, 102]);
  expect(activated(second)).toEqual({});
  mirror.load(second);
  const whole = new Mirror();
  whole.load(await file.once());
  expect(mirror.rows('t')).toEqual(whole.rows('t'));
  expect(mirror.versions('t')).toHaveLength(1);
  expect(file.bookmark('t').replication_key_value).toBe('2025-05-03T00:00:00Z');
});

test('rows without a readable time are sent each time, and so are those of the bookmark itself', async () => {
  const file = table(`${DAYS} INSERT INTO t (id, at) VALUES (201, NULL), (202, ''), (203, 'some day'), (204, 'nan')`);
  await file.run(BY_TIME);
  const second = await file.run(BY_TIME);
  expect(ids(second)).toEqual([100, 201, 202, 203, 204]);
  expect(second.records('_sd_rejects')).toMatchObject([{ rowid: 203, reason: 'unparseable_date', scope: 'value' }]);
  expect((await file.run(BY_TIME)).records('t')).toHaveLength(5);
});

test('times are compared by what they mean', async () => {
  const file = table(`${DAYS} INSERT INTO t (id, at) VALUES (201, '31/12/2024'), (202, '12/04/2025 8:42'),
    (203, '2025-04-12T08:41:59'), (204, '20250410'), (205, '9/04/2025')`);
  await file.run(BY_TIME);
  expect(file.bookmark('t').replication_key_value).toBe('2025-04-12T08:42:00Z');
  file.change(`INSERT INTO t (id, at) VALUES (301, '13/04/2025'), (302, '2/04/2025'), (303, '2025-04-12T08:42:00.5Z'),
    (304, '20250501'), (305, '12/04/2025 8:42 AM'), (306, '2025-04-12 08:41')`);
  expect(ids(await file.run(BY_TIME)).sort((a, b) => a - b)).toEqual([202, 301, 303, 304, 305]);
  expect(file.bookmark('t').replication_key_value).toBe('2025-05-01T00:00:00Z');
});

test('a time beyond as_of is sent, but never becomes the bookmark', async () => {
  const file = table(`${DAYS} INSERT INTO t (id, at) VALUES (201, '2026-07-01 00:00:00')`);
  await file.run(BY_TIME);
  expect(file.bookmark('t').replication_key_value).toBe(LAST_DAY);
  expect(ids(await file.run(BY_TIME))).toEqual([100, 201]);
  const later = await file.run({ ...BY_TIME, as_of: '2026-07-01T00:00:00Z' });
  expect(ids(later)).toEqual([100, 201]);
  expect(file.bookmark('t').replication_key_value).toBe('2026-07-01T00:00:00Z');
});

test('without as_of the limit is the present', async () => {
  const file = table(`${DAYS} INSERT INTO t (id, at) VALUES (201, '2999-01-01 00:00:00')`);
  await file.run({ incremental: { t: 'at' } });
  expect(file.bookmark('t').replication_key_value).toBe(LAST_DAY);
});

test('integers of any size and decimals are bookmarks', async () => {
  for (const [declared, values, next, bookmark] of [
    ['INTEGER', ['9007199254740993', '9007199254740992', '7'], '9007199254740994', '9007199254740994'],
    ['NUMERIC', ['0.25', '10', '9.75'], '10.5', 10.5],
  ] as const) {
    const file = table(
      values.map((value, at) => `INSERT INTO t (id, at) VALUES (${at + 1}, ${value});`).join(''),
      declared,
    );
    await file.run({ incremental: { t: 'at' } });
    file.change(`INSERT INTO t (id, at) VALUES (9, ${next})`);
    const highest = declared === 'INTEGER' ? 1 : 2;
    expect(ids(await file.run({ incremental: { t: 'at' } })), declared).toEqual([highest, 9]);
    expect(file.bookmark('t').replication_key_value).toBe(bookmark);
  }
});

test.each([
  ['another schema', (file: Export) => file.change('CREATE INDEX i ON t (v)')],
  [
    'another import',
    (file: Export) => file.change("INSERT INTO import_metadata VALUES (17, 'tickets', '2025-10-18 00:00:00')"),
  ],
])('%s: the whole table and a new version', async (_what, change) => {
  const file =
    table(`${DAYS} CREATE TABLE import_metadata (import_id INTEGER PRIMARY KEY, source_type TEXT, import_timestamp TIMESTAMP);
    INSERT INTO import_metadata VALUES (16, 'tickets', '2025-10-17 00:00:00');`);
  const settings = { ...BY_TIME, streams: ['t'] };
  const first = await file.run(settings);
  expect(ids(await file.run(settings))).toEqual([100]);
  change(file);
  const third = await file.run(settings);
  expect(ids(third)).toHaveLength(100);
  expect(activated(third).t).toBeGreaterThan(Number(activated(first).t));
  expect(third.events('read_whole')).toHaveLength(1);
  expect(ids(await file.run(settings))).toEqual([100]);
});

test('another replication key: the whole table and a new version', async () => {
  const file = table();
  const first = await file.run(BY_TIME);
  const second = await file.run({ incremental: { t: 'id' } });
  expect(ids(second)).toHaveLength(100);
  expect(activated(second).t).toBeGreaterThan(Number(activated(first).t));
  expect(second.events('read_whole')[0]?.message).toContain('replication key is now "id"');
});

test('a first reading that ended early goes on, and keeps the highest value of its first part', async () => {
  const file = table(`WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1200)
    INSERT INTO t (id, at) SELECT i, datetime('2025-01-01', i || ' minutes') FROM c;
    UPDATE t SET at = '2025-09-09 00:00:00' WHERE id = 3;`);
  const settings = { ...BY_TIME, batch_state_every: 10 };
  const first = await file.run(settings, [], {
    onOutput(text, stop) {
      if (text.includes('"progress"')) stop();
    },
  });
  expect(first.code).toBe(143);
  expect(file.bookmark('t').progress).toBeDefined();
  const second = await file.run(settings);
  expect(ids(second).length).toBeLessThan(1200);
  expect(Object.keys(activated(second))).toEqual(['t']);
  expect(file.bookmark('t').replication_key_value).toBe('2025-09-09T00:00:00Z');
});

test('rows that are set aside each time do not make up the share of a run that finds little else', async () => {
  const file = new Export(place.path, 'bad-keys.db');
  file.change(`CREATE TABLE comments (comment_id TEXT, ticket_id TEXT, comment_text TEXT, user_id TEXT, user_name TEXT,
      owner_type TEXT, created_time TIMESTAMP, visible_to_customer TEXT, comment_type TEXT, team TEXT);
    WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 200)
    INSERT INTO comments (comment_id, ticket_id, created_time)
    SELECT CASE WHEN i > 3 THEN i END, i, datetime('2025-01-01', i || ' minutes') FROM c`);
  const settings = { incremental: { comments: 'created_time' } };
  expect((await file.run(settings)).code).toBe(0);
  const second = await file.run(settings);
  expect(second.code, lastWords(second)).toBe(0);
  expect(second.records('comments')).toHaveLength(1);
});
