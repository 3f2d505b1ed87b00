/**
 * Records as a tap of a service desk would bring them, the same ones each time: 11,000 tickets of 60 columns, 108,000
 * comments of 50 to 2,000 characters, 141,000 timesheets of 20 columns; about 260 MB of messages.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Lines, linesInto } from './blocks.ts';

/** One table: its schema in declared order, and the records. */
export interface Desk {
  readonly stream: string;
  readonly rows: number;
  readonly key: string;
  readonly properties: Readonly<Record<string, object>>;
  record(index: number): Readonly<Record<string, string | number | boolean | null>>;
}

const text = { type: ['null', 'string'] };
const integer = { type: ['null', 'integer'] };
const number = { type: ['null', 'number'] };
const flag = { type: ['null', 'boolean'] };
const moment = { type: ['null', 'string'], format: 'date-time' };

const WORDS =
  'printer queue offline after the update restart router office Küche Straße server patch level user account locked password reset network drive mapped again works thanks line\tbreak path\\folder\nnext'.split(
    ' ',
  );
/** A fifth of all texts has words beyond Latin 1, which cost an engine twice the memory. */
const FAR_WORDS = [...WORDS, '“quoted”', '—', 'регистрация', '🙂'];

/** A number from 0 that looks random and is always the same for the same seeds. */
function draw(seed: number, salt: number, below: number): number {
  const mixed = Math.imul(seed ^ Math.imul(salt + 1, 0x9e3779b1), 0x85ebca6b) >>> 0;
  return ((mixed ^ (mixed >>> 13)) >>> 0) % below;
}

function prose(seed: number, characters: number): string {
  const words = draw(seed, 99, 5) === 0 ? FAR_WORDS : WORDS;
  let out = '';
  for (let word = 0; out.length < characters; word += 1) out += `${words[draw(seed, word, words.length)]} `;
  return out.slice(0, characters).toWellFormed();
}

function time(seed: number, salt: number): string {
  return new Date(1_700_000_000_000 + draw(seed, salt, 60_000_000) * 1_000).toISOString().replace('.000Z', 'Z');
}

const named = (prefix: string, count: number, schema: object): Record<string, object> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix} ${index + 1}`, schema]));

const filled = <Value>(prefix: string, count: number, value: (index: number) => Value): Record<string, Value> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix} ${index + 1}`, value(index)]));

export const DESK: readonly Desk[] = [
  {
    stream: 'tickets',
    rows: 11_000,
    key: 'Ticket ID',
    properties: {
      'Ticket ID': { type: 'integer' },
      Subject: text,
      Description: text,
      ...named('Time', 10, moment),
      ...named('Id', 12, integer),
      ...named('Hours', 5, number),
      ...named('Flag', 4, flag),
      ...named('Field', 26, text),
    },
    record: (index) => ({
      'Ticket ID': 100_000 + index,
      Subject: prose(index, 60),
      Description: prose(index + 7, 400),
      ...filled('Time', 10, (column) => (draw(index, column, 4) === 0 ? null : time(index, column))),
      ...filled('Id', 12, (column) => draw(index, column, 1_000_000)),
      ...filled('Hours', 5, (column) => draw(index, column, 4_000) / 100),
      ...filled('Flag', 4, (column) => draw(index, column, 2) === 0),
      ...filled('Field', 26, (column) => (draw(index, column, 5) === 0 ? null : prose(index + column, 18))),
    }),
  },
  {
    stream: 'comments',
    rows: 108_000,
    key: 'comment_id',
    properties: {
      comment_id: { type: 'string' },
      ticket_id: integer,
      author: text,
      created_time: moment,
      content: text,
      is_public: flag,
      kind: text,
      words: integer,
      channel: text,
      source: text,
    },
    record: (index) => {
      const characters = 50 + draw(index, 1, 1_950);
      return {
        comment_id: `C-${String(index).padStart(9, '0')}`,
        ticket_id: 100_000 + draw(index, 2, 11_000),
        author: `agent-${draw(index, 3, 48)}`,
        created_time: time(index, 4),
        content: prose(index, characters),
        is_public: draw(index, 5, 2) === 0,
        kind: ['note', 'reply', 'mail'][draw(index, 6, 3)] ?? null,
        words: Math.round(characters / 6),
        channel: draw(index, 7, 3) === 0 ? null : 'portal',
        source: null,
      };
    },
  },
  {
    stream: 'timesheets',
    rows: 141_000,
    key: 'row_key',
    properties: {
      row_key: { type: 'string' },
      ticket_id: integer,
      ...named('Day', 2, moment),
      ...named('Hours', 4, number),
      ...named('Code', 4, integer),
      ...named('Note', 8, text),
    },
    record: (index) => ({
      row_key: createHash('sha256').update(String(index)).digest('hex'),
      ticket_id: 100_000 + draw(index, 1, 11_000),
      ...filled('Day', 2, (column) => time(index, column)),
      ...filled('Hours', 4, (column) => draw(index, column, 2_400) / 100),
      ...filled('Code', 4, (column) => draw(index, column, 10_000)),
      ...filled('Note', 8, (column) => (draw(index, column, 3) === 0 ? null : prose(index + column, 24))),
    }),
  },
];

/** Rows of all tables. */
export const TICKET_ROWS = DESK.reduce((sum, { rows }) => sum + rows, 0);

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** A row in the text format of PostgreSQL's COPY. */
function copyLine(record: Readonly<Record<string, string | number | boolean | null>>): string {
  return Object.values(record)
    .map((value) => (value === null ? '\\N' : String(value).replace(/[\\\t\n\r]/g, (found) => ESCAPES[found] ?? found)))
    .join('\t');
}

/** The file of a table in COPY's text format. */
export function copyFile(folder: string, { stream }: Desk): string {
  return join(folder, `${stream}.copy`);
}

/**
 * Writes all records `times` over (with keys of their own) as messages with a state every 10,000, and, if a folder is
 * given, each table in COPY's text format.
 */
export function writeTickets(messages: string, times = 1, folder?: string): void {
  const out = linesInto(messages);
  let count = 0;
  for (const desk of DESK) {
    const { stream, key, properties } = desk;
    out.line(JSON.stringify({ type: 'SCHEMA', stream, key_properties: [key], schema: { properties } }));
    const table: Lines | undefined = folder === undefined ? undefined : linesInto(copyFile(folder, desk));
    for (let index = 0; index < desk.rows * times; index += 1) {
      const record = desk.record(index);
      out.line(JSON.stringify({ type: 'RECORD', stream, record }));
      table?.line(copyLine(record));
      count += 1;
      if (count % 10_000 === 0) out.line(JSON.stringify({ type: 'STATE', value: { rows: count } }));
    }
    table?.close();
  }
  out.line(JSON.stringify({ type: 'STATE', value: { rows: count } }));
  out.close();
}
