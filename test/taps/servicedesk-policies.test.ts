/** What becomes of values that do not fit, and of those that could be read in more than one way. */
import { statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { printProfile } from '../../profiles/profile-file.ts';
import { type Output, object } from '../contract/tap/outside.ts';
import { profileOf } from '../profiles/sqlite-file.ts';
import { folder } from '../singer/folder.ts';
import { Export, type Fields, lastWords, schemaOf } from './servicedesk.ts';

const place = folder();

let made = 0;
function file(sql: string): Export {
  made += 1;
  const one = new Export(place.path, `policy-${made}.db`);
  one.change(sql);
  return one;
}

/** So many rows whose number is one, and then so many whose number is a word. */
const mixed = (good: number, bad: number) => `
  CREATE TABLE t (id TEXT PRIMARY KEY, n INTEGER, v TEXT);
  WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < ${good + bad})
  INSERT INTO t SELECT 'k' || i, CASE WHEN i > ${good} THEN 'word' ELSE i END, 'v' || i FROM c;`;
/** A catalog that says that the word is no number, however many there are. */
async function catalogOf(one: Export): Promise<string> {
  const catalog = await one.catalog({ t: { selected: true } });
  const entry = catalog.streams.find(({ tap_stream_id }) => tap_stream_id === 't');
  if (entry !== undefined) entry.schema.properties.n = { type: ['null', 'integer'] };
  return one.put(catalog);
}

const read = async (one: Export, settings: Fields = {}) => one.once(settings, ['--catalog', await catalogOf(one)]);

function reasons(output: Output): readonly unknown[][] {
  return output.records('_sd_rejects').map(({ rowid, scope, column, reason }) => [rowid, scope, column, reason]);
}

test('reject_policy value, row and fail', async () => {
  const one = file(mixed(98, 2));
  const value = await read(one);
  expect(value.code).toBe(0);
  expect(value.records('t')).toHaveLength(100);
  expect(value.records('t').find(({ id }) => id === 'k99')).toMatchObject({ n: null, v: 'v99' });
  expect(reasons(value)).toEqual([
    [99, 'value', 'n', 'not_a_number'],
    [100, 'value', 'n', 'not_a_number'],
  ]);
  const row = await read(one, { reject_policy: 'row' });
  expect(row.code).toBe(0);
  expect(row.records('t')).toHaveLength(98);
  expect(reasons(row)).toEqual([
    [99, 'row', 'n', 'not_a_number'],
    [100, 'row', 'n', 'not_a_number'],
  ]);
  expect(row.records('_sd_rejects')[0]).toMatchObject({
    key: { id: 'k99' },
    record: { id: 'k99', n: 'word', v: 'v99' },
    raw_b64: Buffer.from('word').toString('base64'),
    storage_class: 'text',
  });
  const fail = await read(one, { reject_policy: 'fail' });
  expect(fail.code).toBe(1);
  expect(lastWords(fail)).toMatch(/t\."n", row 99: not_a_number/);
  expect(fail.messages.some(({ type }) => type === 'ACTIVATE_VERSION')).toBe(false);
});

test.each([
  [0.05, 5],
  [0.29, 29],
  [0.57, 57],
  [0, 0],
  [1, 100],
])('max_reject_ratio %d lets %i of 100 rows be set aside and not one more', async (ratio, bad) => {
  const settings = { reject_policy: 'row', max_reject_ratio: ratio };
  const exactly = await read(file(mixed(100 - bad, bad)), settings);
  expect(exactly.code, lastWords(exactly)).toBe(0);
  expect(exactly.records('t')).toHaveLength(100 - bad);
  if (bad === 100) return;
  const beyond = await read(file(mixed(99 - bad, bad + 1)), settings);
  expect(beyond.code).toBe(3);
  expect(lastWords(beyond)).toContain(`t: ${bad + 1} of 100 rows had to be set aside`);
  expect(beyond.messages.some(({ type }) => type === 'ACTIVATE_VERSION')).toBe(false);
});

test('the ratio of a view is that of all its rows, and its gate says so', async () => {
  const one = file(`${mixed(500, 30)} CREATE VIEW v AS SELECT n, v FROM t ORDER BY rowid DESC;
    CREATE VIEW w AS SELECT n FROM t WHERE n = 'word' OR n < 30;`);
  const catalog = await one.catalog({ v: { selected: true } });
  const view = catalog.streams.find(({ tap_stream_id }) => tap_stream_id === 'v');
  if (view !== undefined) view.schema.properties.n = { type: ['null', 'integer'] };
  const path = one.put(catalog);
  const settings = { reject_policy: 'row' };
  // The first rows of all are the bad ones.
  expect((await one.once({ ...settings, max_reject_ratio: 0.06 }, ['--catalog', path])).code).toBe(0);
  const beyond = await one.once({ ...settings, max_reject_ratio: 0.05 }, ['--catalog', path]);
  expect(beyond.code, lastWords(beyond)).toBe(3);
  expect(lastWords(beyond)).toContain('v: 30 of 530 rows');
});

test('rows that nothing names are told apart among the rejects', async () => {
  const output = await file(`${mixed(198, 2)} CREATE VIEW v AS SELECT n FROM t`).once({ streams: ['v'] });
  expect(output.code, lastWords(output)).toBe(0);
  const rejects = output.records('_sd_rejects');
  expect(rejects).toHaveLength(2);
  expect(new Set(rejects.map(({ reject_id }) => reject_id)).size).toBe(2);
});

test('rejects_path gets what the stream gets, for the owner alone, behind what is there', async () => {
  const one = file(mixed(98, 2));
  const path = place.at('rejects.jsonl');
  const lines = () =>
    place
      .read('rejects.jsonl')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  const first = await read(one, { rejects_path: path });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(lines()).toEqual(first.records('_sd_rejects'));
  one.clock.advance(60_000);
  const second = await read(one, { rejects_path: path });
  expect(lines()).toEqual([...first.records('_sd_rejects'), ...second.records('_sd_rejects')]);
  expect(new Set(lines().map(({ reject_id }) => reject_id)).size).toBe(4);
  const nowhere = await read(one, { rejects_path: place.at('nowhere/rejects.jsonl') });
  expect(nowhere.code).toBe(1);
  expect(lastWords(nowhere)).toContain('rejects');
});

test('reject_raw false keeps neither the value nor the row', async () => {
  const path = place.at('without-raw.jsonl');
  const output = await read(file(mixed(98, 2)), { reject_raw: false, reject_policy: 'row', rejects_path: path });
  for (const reject of output.records('_sd_rejects'))
    expect(reject).toMatchObject({ raw_b64: null, record: null, raw_len: 4 });
  expect(place.read('without-raw.jsonl')).not.toMatch(/word|d29yZA/);
  expect(output.stderr).not.toContain('word');
});

test('nul_policy', async () => {
  const one = file(
    `CREATE TABLE t (id INTEGER PRIMARY KEY, n TEXT); INSERT INTO t VALUES (1, 'a' || char(0) || 'b'), (2, 'c')`,
  );
  const values = async (nul_policy: string) =>
    (await one.once({ nul_policy }))
      .records('t')
      .map(({ n }) => n)
      .sort();
  expect(await values('strip')).toEqual(['ab', 'c']);
  expect(await values('replace')).toEqual(['a\ufffdb', 'c']);
  const rejected = await one.once({ nul_policy: 'reject' });
  expect(reasons(rejected)).toEqual([[1, 'value', 'n', 'nul_byte']]);
  expect(rejected.records('_sd_rejects')[0]?.raw_b64).toBe(Buffer.from('a\0b').toString('base64'));
  const [counted] = (await one.once()).events('table_read');
  expect(counted?.changes).toEqual({ nul_removed: 1 });
});

test('utf8_policy', async () => {
  const one = file(
    `CREATE TABLE t (id INTEGER PRIMARY KEY, n TEXT); INSERT INTO t VALUES (1, CAST(x'47ff' AS TEXT)), (2, 'G\ufffd')`,
  );
  const values = async (utf8_policy: string) =>
    (await one.once({ utf8_policy })).records('t').map(({ id, n }) => [id, n]);
  expect(await values('replace')).toEqual([
    [1, 'G\ufffd'],
    [2, 'G\ufffd'],
  ]);
  expect(await values('latin1')).toEqual([
    [1, 'G\u00ff'],
    [2, 'G\ufffd'],
  ]);
  expect(await values('reject')).toEqual([
    [1, null],
    [2, 'G\ufffd'],
  ]);
  const rejected = await one.once();
  expect(rejected.records('_sd_rejects')).toMatchObject([
    { reason: 'invalid_utf8', raw_b64: Buffer.from('47ff', 'hex').toString('base64') },
  ]);
});

test('with source_timezone times are instants, and those that no clock showed are set aside', async () => {
  const one = file(`CREATE TABLE t (id INTEGER PRIMARY KEY, at TIMESTAMP);
    WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 60)
    INSERT INTO t SELECT i, '2025-07-01 12:00:00' FROM c;
    INSERT INTO t VALUES (101, '2025-03-30 02:30:00'), (102, '2025-10-26 02:30:00'), (103, '2025-07-01T12:00:00+10:00')`);
  const output = await one.once({ source_timezone: 'Europe/Berlin' });
  const at = (id: number) => output.records('t').find((record) => record.id === id)?.at;
  expect(at(1)).toBe('2025-07-01T10:00:00Z');
  expect(at(102)).toBe('2025-10-26T00:30:00Z');
  expect(at(103)).toBe('2025-07-01T02:00:00Z');
  expect(reasons(output)).toEqual([[101, 'value', 'at', 'impossible_date']]);
  expect(JSON.stringify(schemaOf(output, 't'))).toContain('"timestamptz"');
  const naive = await one.once();
  expect(naive.records('t').find(({ id }) => id === 103)?.at).toBe('2025-07-01T12:00:00Z');
  expect(JSON.stringify(schemaOf(naive, 't'))).toContain('"pg":"timestamp"');
});

test('types that only values beyond the sample show are found as well', async () => {
  const one = file(`CREATE TABLE t (id INTEGER PRIMARY KEY, code INTEGER, shape GEOMETRY, late REAL);
    WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 5000)
    INSERT INTO t SELECT i, CASE WHEN i IN (2501, 2503) THEN 'C-' || i END, CASE WHEN i = 2502 THEN x'01' END,
      CASE WHEN i = 4999 THEN 0.5 END FROM c`);
  const [sampled, whole] = [await one.once({ profile_sample: 100 }), await one.once({ profile_sample: 0 })];
  expect(reasons(sampled)).toEqual([]);
  const types = (output: Output) =>
    Object.entries(object(object(schemaOf(output, 't').schema).properties)).map(([name, property]) => [
      name,
      object(object(property)['x-sd']).pg,
      object(property).contentEncoding,
    ]);
  expect(types(sampled)).toEqual(types(whole));
  expect(types(whole)).toEqual([
    ['id', 'bigint', undefined],
    ['code', 'text', undefined],
    ['shape', 'text', 'base64'],
    ['late', 'numeric', undefined],
  ]);
  expect(sampled.records('t').find(({ id }) => id === 2501)?.code).toBe('C-2501');
});

test('a profile decides the types, and what it lacks is looked at', async () => {
  const one = file(`CREATE TABLE t (id INTEGER PRIMARY KEY, code TEXT); INSERT INTO t VALUES (1, 'C-1'), (2, '12')`);
  const profile_path = place.at('profile.json');
  one.change((db) => writeFileSync(profile_path, printProfile(profileOf(db))));
  one.change(`DELETE FROM t WHERE id = 1; ALTER TABLE t ADD COLUMN added TEXT; UPDATE t SET added = '7';
    CREATE TABLE later (id INTEGER PRIMARY KEY); INSERT INTO later VALUES (1)`);
  const output = await one.once({ profile_path });
  expect(output.code, lastWords(output)).toBe(0);
  expect(output.records('t')).toEqual([{ id: 2, code: '12', added: 7 }]);
  expect((await one.once()).records('t')).toEqual([{ id: 2, code: 12, added: 7 }]);
  expect(
    output.events('not_in_profile').map(({ stream, message }) => [stream, String(message).split(': ')[1]]),
  ).toEqual([
    ['later', 'id'],
    ['t', 'added'],
  ]);
  writeFileSync(place.at('half.json'), place.read('profile.json').slice(0, 200));
  for (const name of ['half.json', 'missing.json']) {
    const refused = await one.once({ profile_path: place.at(name) });
    expect(refused.code).toBe(1);
    expect(lastWords(refused)).toContain(name);
  }
});
