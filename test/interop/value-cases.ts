/** Values, types and names. */
import { type Case, tables } from './case.ts';

const typed = (table: string, column: string, value: string) =>
  `SELECT pg_typeof("${column}") || ' ' || ${value} FROM public."${table}" ORDER BY id`;

/** Twice the same beginning of 63 bytes. */
const LONG = 'a_name_of_more_than_sixty_three_bytes_that_differs_only_at_its_';

export const VALUE_CASES: readonly Case[] = [
  {
    input: 'an empty text',
    files: ['empty_string_and_null'],
    query: `SELECT coalesce('"' || name || '"', 'NULL') FROM public.users ORDER BY id`,
    tapworks: { words: 'stays empty', ends: 'well', stored: '"" | NULL | NULL | " " | "NULL" | "\\N"' },
    meltanolabs: { words: 'stays empty', ends: 'well', stored: '"" | NULL | NULL | " " | "NULL" | "\\N"' },
    pipelinewise: { words: '**becomes NULL**', ends: 'well', stored: 'NULL | NULL | NULL | " " | "NULL" | "\\N"' },
  },
  {
    input: 'a line break and a tab in a text',
    files: ['awkward_text'],
    query: `SELECT (name = E'tab\\tnewline\\ncr\\rbackslash\\\\ quote" single'' \\\\. $1 ? :a')::text FROM public.users WHERE id = 1`,
    tapworks: { words: 'stay', ends: 'well', stored: 'true' },
    meltanolabs: { words: 'stay', ends: 'well', stored: 'true' },
    pipelinewise: { words: '**become a backslash and a letter**', ends: 'well', stored: 'false' },
  },
  {
    input: 'the character U+0000',
    files: ['nul_character'],
    query: 'SELECT name FROM public.users ORDER BY id',
    tapworks: {
      words: 'load ends; line and property are named. `null_byte: replace` stores U+FFFD',
      ends: 'badly',
      stored: '',
      says: /line 2: .*U\+0000 in ."name/,
    },
    meltanolabs: {
      words: 'load ends; neither line nor property is named. `sanitize_null_text_characters` is the setting for it',
      ends: 'badly',
      stored: '',
      says: /PostgreSQL text fields cannot contain NUL/,
    },
    pipelinewise: {
      words: '**becomes the six characters `\\u0000`**',
      ends: 'well',
      stored: 'before\\u0000after | \\u0000',
    },
  },
  {
    input: 'half of a character (a lone surrogate)',
    files: ['lone_surrogates'],
    query: 'SELECT name FROM public.users ORDER BY id',
    tapworks: { words: 'becomes U+FFFD, and is counted', ends: 'well', stored: 'a\ufffdb | \ufffd | fine' },
    meltanolabs: { words: 'load ends', ends: 'badly', stored: '', says: /surrogates not allowed/ },
    pipelinewise: { words: 'load ends', ends: 'badly', stored: '', says: /surrogates not allowed/ },
  },
  {
    input: 'an integer beyond 64 bit',
    files: ['big_integers'],
    query: typed('big', 'n', 'n'),
    tapworks: {
      words: 'the column becomes `numeric`; every digit stays',
      ends: 'well',
      stored: `numeric 9007199254740991 | numeric 9007199254740993 | numeric -9007199254740993 | numeric 9223372036854775807 | numeric -9223372036854775808 | numeric 99999999999999999 | numeric 9223372036854775808 | numeric -170141183460469231731687303715884105728 | numeric 5 | numeric 100000000000000000000000`,
    },
    meltanolabs: { words: 'load ends', ends: 'badly', stored: '', says: /bigint out of range/ },
    pipelinewise: {
      words: 'every digit stays: integers without bounds are `numeric`',
      ends: 'well',
      stored: `numeric 9007199254740991 | numeric 9007199254740993 | numeric -9007199254740993 | numeric 9223372036854775807 | numeric -9223372036854775808 | numeric 99999999999999999 | numeric 9223372036854775808 | numeric -170141183460469231731687303715884105728 | numeric 5 | numeric 100000000000000000000000`,
    },
  },
  {
    input: 'a number with more digits than a double has',
    files: ['long_number'],
    query: typed('money', 'n', 'n'),
    tapworks: {
      words: 'the column becomes `numeric`; every digit stays',
      ends: 'well',
      stored: 'numeric 1234567890.12345678901234567890',
    },
    meltanolabs: {
      words: 'every digit stays: numbers are `numeric`',
      ends: 'well',
      stored: 'numeric 1234567890.12345678901234567890',
    },
    pipelinewise: { words: '**is rounded**', ends: 'well', stored: 'double precision 1234567890.1234567' },
  },
  {
    input: 'a decimal (`multipleOf: 0.01`): 99999999999999999.99',
    files: ['long_decimals'],
    query: 'SELECT d::text FROM public.money WHERE id = 1',
    tapworks: { words: 'stays', ends: 'well', stored: '99999999999999999.99' },
    meltanolabs: { words: 'stays', ends: 'well', stored: '99999999999999999.99' },
    pipelinewise: { words: '**becomes 1e+17**', ends: 'well', stored: '1e+17' },
  },
  {
    input: 'a time with an offset, to the microsecond',
    files: ['date_times'],
    query: `SELECT pg_typeof(at) || ' ' || at FROM public.events WHERE id = 1`,
    tapworks: {
      words: 'the instant, `timestamptz`',
      ends: 'well',
      stored: 'timestamp with time zone 2026-01-31 04:00:00.123456+00',
    },
    meltanolabs: {
      words: 'in UTC, `timestamp` without zone',
      ends: 'well',
      stored: 'timestamp without time zone 2026-01-31 04:00:00.123456',
    },
    pipelinewise: {
      words: '**loses its offset**, `timestamp` without zone',
      ends: 'well',
      stored: 'timestamp without time zone 2026-01-31 06:00:00.123456',
    },
  },
  {
    input: 'a property that is a date-time or any other text',
    files: ['types'],
    query: `SELECT either FROM public.types WHERE id < 3 ORDER BY id`,
    tapworks: { words: 'stored as text', ends: 'well', stored: 'not a date | 2026-01-31T06:00:00Z' },
    meltanolabs: { words: 'the first other text ends the load', ends: 'badly', stored: '', says: /not a date/ },
    pipelinewise: { words: 'load ends at the schema', ends: 'badly', stored: 'none', says: /string indices must be/ },
  },
  {
    input: 'two properties with the same first 63 bytes',
    files: ['long_names', 'long_names'],
    query: `SELECT string_agg(attname, ' ' ORDER BY attname) FROM pg_attribute WHERE attrelid = 'public.users'::regclass AND attnum > 0 AND attname LIKE 'a%'`,
    tapworks: {
      words: 'two columns, in every run the same: the beginning and a hash',
      ends: 'well',
      stored: `${LONG.slice(0, 54)}_03dbc629 ${LONG.slice(0, 54)}_a6b42cf3`,
    },
    meltanolabs: { words: 'load ends', ends: 'badly', stored: 'none', says: /specified more than once/ },
    pipelinewise: { words: 'two columns, named by initials', ends: 'well', stored: 'anomtstbtdoaieo anomtstbtdoaiet' },
  },
  {
    input: 'two streams with the same first 63 bytes',
    files: ['long_stream_names'],
    query: tables,
    tapworks: {
      words: 'two tables',
      ends: 'well',
      stored: `${LONG.slice(0, 54)}_03dbc629 | ${LONG.slice(0, 54)}_a6b42cf3`,
    },
    meltanolabs: { words: 'load ends', ends: 'badly', stored: '', says: /exceeds maximum length/ },
    pipelinewise: { words: '**one table for both**', ends: 'well', stored: LONG },
  },
  {
    input: 'properties that differ only in case',
    files: ['name_clash'],
    query: `SELECT jsonb_build_array(t."Name", t.name, t."NAME")::text FROM public.clash AS t`,
    tapworks: { words: 'a column each', ends: 'well', stored: '["Name", "name", "NAME"]' },
    meltanolabs: { words: 'a column each', ends: 'well', stored: '["Name", "name", "NAME"]' },
    pipelinewise: { words: 'load ends', ends: 'badly', stored: 'none', says: /specified more than once/ },
  },
  {
    input: 'a stream called `user-events`',
    files: ['stream_with_dash'],
    query: tables,
    tapworks: { words: 'table `user_events`', ends: 'well', stored: 'user_events' },
    meltanolabs: { words: 'table `events`', ends: 'well', stored: 'events' },
    pipelinewise: { words: 'table `events`', ends: 'well', stored: 'events' },
  },
  {
    input: 'a stream called `quo"te`',
    files: ['awkward_stream_names'],
    query: `SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'quo%'`,
    tapworks: { words: 'table `quo_te`', ends: 'well', stored: 'quo_te' },
    meltanolabs: { words: 'table `quo"te`', ends: 'well', stored: 'quo"te' },
    pipelinewise: {
      words: 'load ends: the name is put into SQL as it is',
      ends: 'badly',
      stored: '',
      says: /syntax error at or near "te"/,
    },
  },
  {
    input: 'a property that turns from integer to text, then to number',
    files: ['type_changed'],
    query: 'SELECT v::text FROM public.users ORDER BY id',
    tapworks: {
      words: 'the column takes them all (`schema_change`)',
      ends: 'well',
      stored: '12345678901 | 007 | text | 1.5',
    },
    meltanolabs: {
      words: 'load ends; nothing is written',
      ends: 'badly',
      stored: '',
      says: /Altering columns is not supported/,
    },
    pipelinewise: {
      words: 'former values move to a column named after the minute; a second change in that minute ends the load',
      ends: 'badly',
      says: /column "v_\d{8}_\d{4}" of relation "users" already exists/,
    },
  },
];
