/** Catalogs and settings: what may be chosen, and what is said when it does not exist. */
import { expect, test } from 'vitest';
import { type Output, object } from '../contract/tap/outside.ts';
import { folder } from '../singer/folder.ts';
import { type Catalog, Export, type Fields, lastWords, schemaOf } from './servicedesk.ts';

const place = folder();
const file = new Export(place.path);
file.change(`CREATE TABLE t (id INTEGER PRIMARY KEY, at TIMESTAMP, v TEXT, bad INTEGER);
  INSERT INTO t VALUES (1, '2025-05-20 08:42:00', 'a', 1), (2, '2025-05-21 08:42:00', 'b', 2);
  CREATE TABLE other (a TEXT, b TEXT); INSERT INTO other VALUES ('x', 'y');
  CREATE VIEW view_of_t AS SELECT v, id FROM t;`);

async function chosen(selected: { readonly [stream: string]: Fields }, edit: (catalog: Catalog) => void = () => {}) {
  const catalog = await file.catalog(selected);
  edit(catalog);
  return file.once({}, ['--catalog', file.put(catalog)]);
}

function entry(catalog: Catalog, stream: string) {
  const found = catalog.streams.find(({ tap_stream_id }) => tap_stream_id === stream);
  if (found === undefined) throw new Error(`no ${stream}`);
  return found;
}

/** Ended with 1 before any message. */
function expectRefused(output: Output, ...texts: readonly string[]): void {
  expect(output.code).toBe(1);
  expect(output.stdout).toBe('');
  for (const text of texts) expect(lastWords(output)).toContain(text);
}

test('the catalog names keys, types and how many rows there are', async () => {
  const { streams } = await file.catalog({});
  expect(streams.map(({ tap_stream_id, key_properties }) => [tap_stream_id, key_properties])).toEqual([
    ['_sd_rejects', ['reject_id']],
    ['other', ['_sd_rowid']],
    ['t', ['id']],
    ['view_of_t', []],
  ]);
  const t = entry({ streams }, 't');
  expect(t.metadata[0]?.metadata).toMatchObject({
    'row-count': 2,
    'is-view': false,
    'valid-replication-keys': ['id', 'at', 'bad'],
  });
  expect(t.metadata.find(({ breadcrumb }) => breadcrumb[1] === 'at')?.metadata).toMatchObject({
    'sql-datatype': 'TIMESTAMP',
  });
});

test('INCREMENTAL by a column that has an order', async () => {
  const output = await chosen({ t: { selected: true, 'replication-method': 'INCREMENTAL', 'replication-key': 'at' } });
  expect(output.code, lastWords(output)).toBe(0);
  expect(schemaOf(output, 't').bookmark_properties).toEqual(['at']);
  expect(output.states.at(-1)).toMatchObject({ bookmarks: { t: { replication_key_value: '2025-05-21T08:42:00Z' } } });
});

test.each([
  ['INCREMENTAL without a key', { 'replication-method': 'INCREMENTAL' }, ['t', 'without a replication-key']],
  [
    'INCREMENTAL by an unknown key',
    { 'replication-method': 'INCREMENTAL', 'replication-key': 'when' },
    ['"when"', 'at'],
  ],
  ['LOG_BASED', { 'replication-method': 'LOG_BASED' }, ['LOG_BASED', 'FULL_TABLE']],
  ['an unknown key of a view', { 'view-key-properties': ['nothing'] }, ['"nothing"']],
])('%s is refused', async (_what, metadata, texts) => {
  const output = await chosen({ [texts[0] === '"nothing"' ? 'view_of_t' : 't']: { selected: true, ...metadata } });
  expectRefused(output, ...texts);
});

test('INCREMENTAL by a text is refused', async () => {
  const output = await chosen({ t: { selected: true, 'replication-method': 'INCREMENTAL', 'replication-key': 'v' } });
  expect(output.code).toBe(1);
  expect(output.records('t')).toEqual([]);
  expect(lastWords(output)).toMatch(/"v" cannot be the replication key of "t".*integer, number or date-time/);
});

test('a view gets the key that the catalog names', async () => {
  const output = await chosen({ view_of_t: { selected: true, 'view-key-properties': ['id'] } });
  expect(output.code, lastWords(output)).toBe(0);
  expect(schemaOf(output, 'view_of_t').key_properties).toEqual(['id']);
});

test('a column that was not selected is not read', async () => {
  const own = new Export(place.path, 'deselected.db');
  own.change(`CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, bad INTEGER);
    WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 99) INSERT INTO t SELECT i, 'v', i FROM c;
    INSERT INTO t VALUES (100, 'v', 'word')`);
  const catalog = await own.catalog({ t: { selected: true } });
  const all = await own.once({ reject_policy: 'row' }, ['--catalog', own.put(catalog)]);
  expect(all.records('_sd_rejects')).toHaveLength(1);
  for (const { breadcrumb, metadata } of entry(catalog, 't').metadata) {
    if (['bad', 'id'].includes(breadcrumb[1] ?? '')) metadata.selected = false;
  }
  const output = await own.once({ reject_policy: 'row' }, ['--catalog', own.put(catalog)]);
  expect(output.code, lastWords(output)).toBe(0);
  expect(Object.keys(object(object(schemaOf(output, 't').schema).properties))).toEqual(['id', 'v']);
  expect(output.records('t')).toHaveLength(100);
  for (const record of output.records('t')) expect(Object.keys(record)).toEqual(['id', 'v']);
  expect(output.records('_sd_rejects')).toEqual([]);
});

test('a column and a table that are gone since the catalog was made', async () => {
  const own = new Export(place.path, 'gone.db');
  own.change(
    `CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, w TEXT); INSERT INTO t VALUES (1, 'a', 'b'); CREATE TABLE tt (id INTEGER)`,
  );
  const catalog = await own.catalog({ t: { selected: true } });
  const both = await own.catalog({ t: { selected: true }, tt: { selected: true } });
  own.change(`ALTER TABLE t DROP COLUMN w; ALTER TABLE t ADD COLUMN x TEXT; DROP TABLE tt`);
  const output = await own.once({}, ['--catalog', own.put(catalog)]);
  expect(output.code, lastWords(output)).toBe(0);
  expect(output.records('t')).toEqual([{ id: 1, v: 'a' }]);
  expect(output.events('columns_gone').map(({ message }) => message)).toEqual([
    expect.stringContaining('no longer: w'),
  ]);
  expectRefused(await own.once({}, ['--catalog', own.put(both)]), '"tt"', 'did you mean "t"');
});

test('the types of the catalog count, not those of today', async () => {
  const output = await chosen({ t: { selected: true } }, (catalog) => {
    entry(catalog, 't').schema.properties.bad = { type: ['null', 'string'] };
  });
  expect(output.records('t').map(({ bad }) => bad)).toEqual(['1', '2']);
  const unknown = await chosen({ t: { selected: true } }, (catalog) => {
    entry(catalog, 't').schema.properties.bad = { type: ['null', 'boolean'] };
  });
  expect(unknown.code).toBe(1);
  expect(lastWords(unknown)).toMatch(/"bad" of "t" the type \["null","boolean"\]/);
});

test.each<[string, Fields, readonly string[]]>([
  ['database', { database: '' }, ['database']],
  ['streams', { streams: ['tt'] }, ['"tt"', 'did you mean "t"']],
  ['no streams', { streams: [] }, ['streams']],
  ['incremental, stream', { incremental: { tt: 'at' } }, ['incremental', '"tt"', 'did you mean "t"']],
  ['incremental, column', { incremental: { t: 'when' } }, ['incremental', '"when"', 'at']],
  ['incremental, text column', { incremental: { t: 'v' } }, ['incremental', '"v"', 'at']],
  ['profile_sample', { profile_sample: -1 }, ['profile_sample']],
  ['slash_date_order', { slash_date_order: 'YMD' }, ['slash_date_order']],
  ['source_timezone', { source_timezone: 'Mars/Base' }, ['source_timezone', 'Australia/Perth']],
  ['snapshot', { snapshot: 'copy' }, ['snapshot']],
  ['busy_timeout_ms', { busy_timeout_ms: -1 }, ['busy_timeout_ms']],
  ['reject_policy', { reject_policy: 'ignore' }, ['reject_policy']],
  ['max_reject_ratio', { max_reject_ratio: 5 }, ['max_reject_ratio']],
  ['nul_policy', { nul_policy: 'keep' }, ['nul_policy']],
  ['utf8_policy', { utf8_policy: 'utf16' }, ['utf8_policy']],
  ['emit_rowid', { emit_rowid: 'yes' }, ['emit_rowid']],
  ['batch_state_every', { batch_state_every: 0 }, ['batch_state_every']],
  ['as_of', { as_of: 'tomorrow' }, ['as_of']],
  ['as_of without such a day', { as_of: '2025-02-30T00:00:00Z' }, ['as_of']],
  ['the name of another tool', { database_path: 'x.db' }, ['database_path', 'database']],
  ['two at once', { snapshot: 'copy', nul_policy: 'keep' }, ['snapshot', 'nul_policy']],
])('a wrong setting is named: %s', async (_what, settings, texts) => {
  expectRefused(await file.once(settings), ...texts);
});

test('without row numbers a table that nothing names has no key', async () => {
  const output = await file.once({ emit_rowid: false, streams: ['other'] });
  expect(schemaOf(output, 'other').key_properties).toEqual([]);
  expect(output.records('other')).toEqual([{ a: 'x', b: 'y' }]);
});

test('a key that the values give is the same with and without a catalog', async () => {
  const own = new Export(place.path, 'by-values.db');
  own.change(`CREATE TABLE t (id INTEGER, v TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b')`);
  const catalog = await own.catalog({ t: { selected: true } });
  expect(entry(catalog, 't').key_properties).toEqual(['id']);
  const outputs = [await own.once(), await own.once({}, ['--catalog', own.put(catalog)])];
  expect(outputs.map((output) => schemaOf(output, 't').key_properties)).toEqual([['id'], ['id']]);
});

test('of rows that share a key which nothing enforces, the one that stands last comes last', async () => {
  const file = new Export(place.path, 'order.db');
  file.change(`CREATE TABLE comments (comment_id TEXT, created_time TIMESTAMP);
    INSERT INTO comments VALUES ('1', '2/07/2025 16:21'), ('1', '2025-07-03 08:00:00'), ('2', '2025-07-03 08:00:00'),
      ('2', '4/07/2025 8:00')`);
  const output = await file.once();
  expect(output.records('comments').map(({ created_time }) => created_time)).toEqual([
    '2025-07-02T16:21:00Z',
    '2025-07-03T08:00:00Z',
    '2025-07-03T08:00:00Z',
    '2025-07-04T08:00:00Z',
  ]);
});

test('a number that follows the key of a timesheet is never mistaken for a part of it', async () => {
  const file = new Export(place.path, 'timesheets.db');
  file.change(`CREATE TABLE timesheets ("TS-User Username" TEXT, "TS-Date" TIMESTAMP, "TS-Time From" TEXT, "TS-Crm ID" INTEGER);
    INSERT INTO timesheets VALUES ('a', '2025-07-03 00:00:00', '09:00', 'x'), ('a', '2025-07-03 00:00:00', '09:00', 'x'),
      ('a', '2025-07-03 00:00:00', '09:00', 'x#2')`);
  const output = await file.once({ max_reject_ratio: 1 });
  const keys = output.records('timesheets').map(({ _sd_row_key }) => _sd_row_key);
  expect(keys).toEqual(['x#1', 'x#2', 'x#2#1'].map((end) => `a|2025-07-03 00:00:00|09:00|${end}`));
});
