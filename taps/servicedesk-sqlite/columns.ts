/** From the schema of a property, as it is announced, to the rules by which its values are read, and back. */
import type { ColumnType } from '../../profiles/classes.ts';
import type { ConversionRules } from '../../profiles/conversion.ts';
import { trimmed } from '../../profiles/grammar.ts';
import { readSlashDate, type SlashVote, vote } from '../../profiles/slash-dates.ts';
import { quoted } from '../../profiles/tables.ts';
import type { TimeZone } from '../../profiles/time-zone.ts';
import { ConnectorError } from '../../singer/errors.ts';
import type { Json } from '../../singer/lossless.ts';
import type { JsonSchema } from '../../singer/messages.ts';
import type { Source } from './source.ts';

/** What the settings say of all columns. */
export interface ColumnSettings {
  readonly zone: TimeZone | undefined;
  readonly slashOrder: 'DMY' | 'MDY';
  readonly nul: ConversionRules['nul'];
  readonly utf8: ConversionRules['utf8'];
}

/** What a profile adds to a property's schema. */
interface Decided {
  readonly naive?: Json;
  readonly date_order?: Json;
  readonly yes_no?: Json;
}

function decidedOf(schema: JsonSchema): Decided {
  const found = schema['x-sd'];
  return typeof found === 'object' && found !== null ? (found as Decided) : {};
}

/**
 * The rules for the values of a column, from the schema of its property: the schema that a catalog holds counts, so types
 * stay what they were when the catalog was made.
 * @throws ConnectorError `config` for a type that no rule reads.
 */
export function rulesOf(
  stream: string,
  property: string,
  schema: JsonSchema,
  settings: ColumnSettings,
): ConversionRules {
  const { naive, date_order: order, yes_no: spelling } = decidedOf(schema);
  const { zone, slashOrder, nul, utf8 } = settings;
  return {
    type: typeOf(stream, property, schema),
    slash:
      order === 'conflict'
        ? { order, basis: 'column' }
        : order === 'DMY' || order === 'MDY'
          ? { order, basis: 'column' }
          : { order: slashOrder, basis: 'assumed' },
    naive: naive !== false && zone === undefined,
    zone,
    spelling: isPair(spelling) ? spelling : undefined,
    range: undefined,
    maxChars: undefined,
    nul,
    utf8,
  };
}

function isPair(value: Json | undefined): value is readonly [string, string] {
  return Array.isArray(value) && value.length === 2 && value.every((word) => typeof word === 'string');
}

function typeOf(stream: string, property: string, schema: JsonSchema): ColumnType {
  const types = (typeof schema.type === 'string' ? [schema.type] : (schema.type ?? [])).filter(
    (type) => type !== 'null',
  );
  const [type] = types;
  if (types.length === 1) {
    if (type === 'integer') return 'integer';
    if (type === 'number') return 'numeric';
    if (type === 'string') {
      if (schema.format === 'date-time') return 'timestamp';
      if (schema.contentEncoding === 'base64') return 'blob';
      return isPair(decidedOf(schema).yes_no) ? 'yes_no' : 'text';
    }
  }
  throw new ConnectorError(
    'config',
    `the catalog gives "${property}" of "${stream}" the type ${JSON.stringify(schema.type ?? null)}`,
    { stream },
    { hint: 'use one of integer, number and string (with format date-time for times), with or without null' },
  );
}

/** How a column's ambiguous slash dates are read when nothing has decided it yet: see `slashVote`. */
export function isUndecided({ type, slash }: ConversionRules): boolean {
  return type === 'timestamp' && slash.basis === 'assumed';
}

/**
 * The order of day and month that the values of a column prove, by a look at all of them that have slashes. Only asked
 * for when one has come up.
 */
export function slashVote({ db }: Source, table: string, column: string, assumed: 'DMY' | 'MDY'): SlashVote {
  const proofs = { DMY: 0, MDY: 0, ambiguous: 0 };
  const texts = db.prepare(
    `SELECT ${quoted(column)} FROM ${quoted(table)} WHERE typeof(${quoted(column)}) = 'text' AND instr(${quoted(column)}, '/')`,
  );
  for (const text of texts.pluck().iterate() as IterableIterator<string>) {
    const date = readSlashDate(trimmed(text));
    if (typeof date === 'object') proofs[date.evidence] += 1;
  }
  return vote(proofs.DMY, proofs.MDY, assumed);
}

/** The schema of a property when the time zone of its source is known: its times are instants then. */
export function inZone(schema: JsonSchema): JsonSchema {
  const decided = decidedOf(schema);
  if (schema.format !== 'date-time' || decided.naive === false) return schema;
  return { ...schema, 'x-sd': { ...decided, pg: 'timestamptz', naive: false } };
}

/** The schema of a key: it has a value in every row. */
export function required(schema: JsonSchema): JsonSchema {
  const [type, ...others] = typesOf(schema);
  return type === undefined ? schema : { ...schema, type: others.length === 0 ? type : [type, ...others] };
}

/** The schema of anything but a key: SQLite lets most primary keys be null, and then they name no row. */
export function optional(schema: JsonSchema): JsonSchema {
  const types = typesOf(schema);
  return types.length === 0 ? schema : { ...schema, type: ['null', ...types] };
}

function typesOf({ type = [] }: JsonSchema): readonly string[] {
  return [type].flat().filter((name) => name !== 'null');
}
