/** Keys, records that do not fit, rows that are gone, states, lines. */
import { type Case, tables } from './case.ts';

/** Each row of a table as JSON, without what loaders add. */
const rows = (table: string) =>
  `SELECT (to_jsonb(t) - '{_sdc_extracted_at,_sdc_received_at,_sdc_batched_at,_sdc_deleted_at,_sdc_sequence,_sdc_table_version,_sdc_sync_started_at}'::text[])::text FROM public."${table}" AS t ORDER BY t.id::text COLLATE "C"`;
const TWO_USERS = '{"id": 1, "name": "a"} | {"id": 2, "name": "b"}';

export const MESSAGE_CASES: readonly Case[] = [
  {
    input: 'another key in the middle of the input',
    files: ['key_changed'],
    query: `SELECT count(*) || ' rows, key ' || (SELECT string_agg(attname, ', ') FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey) WHERE indrelid = 'public.users'::regclass AND indisprimary) FROM public.users`,
    tapworks: {
      words: 'load ends; both keys are named',
      ends: 'badly',
      stored: '2 rows, key id',
      says: /has the key \(id\), but the stream now has the key \(name\)/,
    },
    meltanolabs: {
      words: 'goes on; the table keeps its former key',
      ends: 'well',
      stored: '3 rows, key id',
    },
    pipelinewise: {
      words: 'goes on; the table keeps its former key',
      ends: 'well',
      stored: '3 rows, key id',
    },
  },
  {
    input: 'a record that does not fit its schema, after two that do, each with a state',
    files: ['invalid_record'],
    query: rows('users'),
    tapworks: {
      words:
        'load ends; the two are stored, their state is printed; the log has no value. `on_invalid_record: quarantine` goes on',
      ends: 'badly',
      stored: TWO_USERS,
      states: ['{"n":2}'],
      // The value may be anything, so it stays out of the log.
      says: /^(?!.*three).*line 6: .*must be integer/s,
    },
    meltanolabs: {
      words: 'load ends; nothing is stored, no state; the value stands in the log',
      ends: 'badly',
      stored: '',
      states: [],
      says: /'three' is not of type 'integer'/,
    },
    pipelinewise: {
      words: 'load ends; nothing is stored, no state; the value stands in the log',
      ends: 'badly',
      stored: '',
      states: [],
      says: /invalid input syntax for type numeric: "three"/,
    },
  },
  {
    input: 'a record without its key, after two that have it',
    files: ['key_missing'],
    query: rows('users'),
    tapworks: {
      words: 'load ends; the two are stored, their state is printed; line and key are named',
      ends: 'badly',
      stored: TWO_USERS,
      states: ['{"n":2}'],
      says: /line 6: .*no value for its key/,
    },
    meltanolabs: {
      words: 'load ends; nothing is stored, no state',
      ends: 'badly',
      stored: '',
      states: [],
      says: /missing one or more key_prop/,
    },
    pipelinewise: {
      words: "load ends; nothing is stored, no state; the message is `KeyError: 'id'`",
      ends: 'badly',
      stored: '',
      states: [],
      says: /KeyError: 'id'/,
    },
  },
  {
    input: 'half a last line, as when the tap is killed',
    files: ['cut_last_line'],
    query: rows('users'),
    tapworks: {
      words: 'load ends; whole records are stored, their state is printed',
      ends: 'badly',
      stored: TWO_USERS,
      states: ['{"n":2}'],
    },
    meltanolabs: { words: 'load ends; nothing is stored, no state', ends: 'badly', stored: '', states: [] },
    pipelinewise: { words: 'load ends; nothing is stored, no state', ends: 'badly', stored: '', states: [] },
  },
  {
    input: 'a record that is gone (`_sdc_deleted_at`) and has its key only',
    files: ['deleted_record'],
    query: `SELECT coalesce(name, 'NULL') || CASE WHEN to_jsonb(t) ->> '_sdc_deleted_at' IS NULL THEN '' ELSE ', gone' END FROM public.users AS t`,
    tapworks: { words: 'its row is marked and keeps its values', ends: 'well', stored: 'u1, gone' },
    meltanolabs: { words: '**its row is marked and loses them**', ends: 'well', stored: 'NULL, gone' },
    pipelinewise: {
      words: '**its row loses them and has no mark**',
      ends: 'well',
      stored: 'NULL',
    },
  },
  {
    input: 'a second reading that lacks a row (ACTIVATE_VERSION)',
    files: ['version_first_reading', 'version_second_reading'],
    query: `SELECT id || coalesce(CASE WHEN to_jsonb(t) ->> '_sdc_deleted_at' IS NOT NULL THEN ' gone' END, '') FROM public.users AS t ORDER BY id`,
    tapworks: { words: 'the row is marked', ends: 'well', stored: '1 | 2 gone | 3 | 4' },
    meltanolabs: { words: 'the row is marked', ends: 'well', stored: '1 | 2 gone | 3 | 4' },
    pipelinewise: { words: 'the row looks present', ends: 'well', stored: '1 | 2 | 3 | 4' },
  },
  {
    input: 'numbers in a STATE: 1E2, 0.10, 1e-7',
    files: ['state_verbatim'],
    query: rows('users'),
    tapworks: {
      words: 'come out byte for byte',
      ends: 'well',
      states: [
        '{"lsn":12345678901234567890,"ratio":1.0,"small":1e-7,"exp":1E2,"nested":[0.10,{"id":900719925474099312}]}',
      ],
    },
    meltanolabs: {
      words: '**rows are stored, then the load ends without a state**',
      ends: 'badly',
      stored: '{"id": 1, "name": "a"}',
      states: [],
      says: /Decimal is not JSON serializable/,
    },
    pipelinewise: {
      words: 'come out as 100.0, 0.1, 1e-07',
      ends: 'well',
      states: [
        '{"lsn": 12345678901234567890, "ratio": 1.0, "small": 1e-07, "exp": 100.0, "nested": [0.1, {"id": 900719925474099312}]}',
      ],
    },
  },
  {
    input: 'two different STATEs and no record',
    files: ['state_without_rows'],
    query: tables,
    tapworks: { words: 'both are printed', ends: 'well', states: ['{"first":1}', '{"second":2}'] },
    meltanolabs: { words: 'the second is printed', ends: 'well', states: ['{"second": 2}'] },
    pipelinewise: { words: '**only the first is printed**', ends: 'well', states: ['{"first": 1}'] },
  },
  {
    input: 'an empty STATE (`{}`)',
    files: ['state_none'],
    query: rows('users'),
    tapworks: { words: 'is ignored', ends: 'well', states: [] },
    meltanolabs: { words: 'is ignored', ends: 'well', states: [] },
    pipelinewise: { words: '**is printed**: the next run begins anew', ends: 'well', states: ['{}'] },
  },
  {
    input: 'blank lines',
    files: ['blank_lines_crlf'],
    query: tables,
    tapworks: { words: 'are skipped', ends: 'well', stored: 'users' },
    meltanolabs: { words: 'load ends', ends: 'badly', says: /JSONDecodeError/ },
    pipelinewise: { words: 'load ends', ends: 'badly', says: /JSONDecodeError/ },
  },
  {
    input: 'a message of an unknown type',
    files: ['unknown_message_type'],
    query: rows('users'),
    tapworks: { words: 'is skipped, with a warning', ends: 'well', stored: '{"id": 1, "name": "a"}' },
    meltanolabs: { words: 'load ends', ends: 'badly', stored: '', says: /Unknown message type/ },
    pipelinewise: { words: 'load ends', ends: 'badly', stored: '', says: /Unknown message type/ },
  },
  {
    input: 'a stream without a key',
    files: ['without_key'],
    query: rows('users'),
    tapworks: { words: 'rows are appended', ends: 'well', stored: '{"id": 1, "name": "a"} | {"id": 1, "name": "a"}' },
    meltanolabs: {
      words: 'rows are appended',
      ends: 'well',
      stored: '{"id": 1, "name": "a"} | {"id": 1, "name": "a"}',
    },
    pipelinewise: { words: 'load ends', ends: 'badly', stored: 'none', says: /key_properties field is required/ },
  },
];
