/** The SQL of the PostgreSQL target: one builder per statement, every name quoted and with its schema. */

/** A table, or anything else that a schema holds. */
export interface Relation {
  readonly schema: string;
  readonly name: string;
}

/** The table of names that are not what their stream or property is called. */
export const REGISTRY = '_tapworks_names';
/** The table of records that were set aside. */
export const REJECTS = '_tapworks_rejects';

/** Bytes of the longest name (NAMEDATALEN - 1); PostgreSQL would cut a longer one without a word. */
export const NAME_BYTES = 63;

/** Names that every table has already (system columns). */
export const SYSTEM_COLUMNS: readonly string[] = ['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid'];

/** Quotes a name, so that case counts and reserved words are names like others. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes a text, for the few statements that take no parameters. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A relation by its full name. */
export function full({ schema, name }: Relation): string {
  return `${quote(schema)}.${quote(name)}`;
}

function list(names: readonly string[]): string {
  return names.map(quote).join(', ');
}

/** One column as it is declared. */
export interface ColumnDefinition {
  readonly name: string;
  readonly declared: string;
}

/** CREATE TABLE; with `key` it is the primary key. */
export function createTable(table: Relation, columns: readonly ColumnDefinition[], key: readonly string[]): string {
  const parts = columns.map(({ name, declared }) => `${quote(name)} ${declared}`);
  if (key.length > 0) parts.push(`PRIMARY KEY (${list(key)})`);
  return `CREATE TABLE ${full(table)} (${parts.join(', ')})`;
}

/** A temporary table, which no crash leaves behind and no log is written for. It is empty after each transaction. */
export function createStaging(name: string, columns: readonly ColumnDefinition[]): string {
  const parts = columns.map((column) => `${quote(column.name)} ${column.declared}`);
  return `CREATE TEMPORARY TABLE ${quote(name)} (${parts.join(', ')}) ON COMMIT DELETE ROWS`;
}

/** ALTER TABLE … ADD COLUMN. */
export function addColumn(table: Relation, { name, declared }: ColumnDefinition): string {
  return `ALTER TABLE ${full(table)} ADD COLUMN ${quote(name)} ${declared}`;
}

/** ALTER TABLE … TYPE; `using` is an expression over the column. */
export function changeType(table: Relation, column: string, declared: string, using: string): string {
  return `ALTER TABLE ${full(table)} ALTER COLUMN ${quote(column)} TYPE ${declared} USING ${using}`;
}

/** CREATE INDEX, unless it is there. */
export function createIndex(index: string, table: Relation, columns: readonly string[]): string {
  return `CREATE INDEX IF NOT EXISTS ${quote(index)} ON ${full(table)} (${list(columns)})`;
}

/** COPY … FROM STDIN in text format. `freeze` is for a table that the same transaction has made. */
export function copyInto(table: string, columns: readonly string[], freeze = false): string {
  return `COPY ${table} (${list(columns)}) FROM STDIN${freeze ? ' WITH (FREEZE)' : ''}`;
}

/** Staged rows and the table that they are merged into. */
export interface Merge {
  readonly staging: string;
  readonly table: Relation;
  readonly columns: readonly ColumnDefinition[];
  readonly key: readonly string[];
  /** Two rows may have one key: to look for the last costs a sort. */
  readonly duplicates: boolean;
  /** Rows of a partitioned table do not tell what became of them, so those that are there are counted first. */
  readonly partitioned: boolean;
}

/**
 * Moves staged rows into their table. Of rows with one key the last one counts, which is the one with the highest place
 * (ctid) in a table that COPY alone has filled. An existing row is touched only if something differs. Answers `inserted`
 * and `updated`.
 */
export function mergeRows(merge: Merge): string {
  return merged(merge, (name) => `excluded.${quote(name)}`);
}

/** Like `mergeRows` for rows that are gone: columns that their records leave out, or send as null, stay as they are. */
export function markRows(merge: Omit<Merge, 'duplicates'>): string {
  return merged({ ...merge, duplicates: true }, (name) => `coalesce(excluded.${quote(name)}, t.${quote(name)})`);
}

function merged(merge: Merge, value: (name: string) => string): string {
  const { table, columns, key } = merge;
  const names = columns.map(({ name }) => name);
  const rest = columns.filter(({ name }) => !key.includes(name));
  const set = rest.map(({ name }) => `${quote(name)} = ${value(name)}`).join(', ');
  const action = rest.length === 0 ? 'NOTHING' : `UPDATE SET ${set} WHERE ${differ(rest, value)}`;
  const insert = `INSERT INTO ${full(table)} AS t (${list(names)}) SELECT ${list(names)} FROM last ON CONFLICT (${list(key)}) DO ${action}`;
  const last = `last AS (${lastOf(merge)})`;
  // A row that was inserted has no deleting transaction (xmax), one that was there before has ours.
  if (!merge.partitioned) {
    return `WITH ${last}, merged AS (${insert} RETURNING (t.xmax = 0) AS new) SELECT count(*) FILTER (WHERE new) AS inserted, count(*) FILTER (WHERE NOT new) AS updated FROM merged`;
  }
  const same = key.map((name) => `t.${quote(name)} = last.${quote(name)}`).join(' AND ');
  const fresh = `fresh AS (SELECT count(*) AS rows FROM last WHERE NOT EXISTS (SELECT 1 FROM ${full(table)} AS t WHERE ${same}))`;
  return `WITH ${last}, ${fresh}, merged AS (${insert} RETURNING 1) SELECT (SELECT rows FROM fresh) AS inserted, count(*) - (SELECT rows FROM fresh) AS updated FROM merged`;
}

/** DELETE of the rows whose keys are staged. Answers `deleted`. */
export function deleteRows(staging: string, table: Relation, key: readonly string[]): string {
  const same = key.map((name) => `t.${quote(name)} = s.${quote(name)}`).join(' AND ');
  return `WITH gone AS (DELETE FROM ${full(table)} AS t USING (SELECT DISTINCT ${list(key)} FROM pg_temp.${quote(staging)}) AS s WHERE ${same} RETURNING 1) SELECT count(*) AS deleted FROM gone`;
}

function lastOf({ staging, columns, key, duplicates }: Merge): string {
  const names = list(columns.map(({ name }) => name));
  const from = `FROM pg_temp.${quote(staging)}`;
  if (!duplicates) return `SELECT ${names} ${from}`;
  return `SELECT DISTINCT ON (${list(key)}) ${names} ${from} ORDER BY ${list(key)}, ctid DESC`;
}

function differ(columns: readonly ColumnDefinition[], other: (name: string) => string): string {
  const ours = columns.map(({ name, declared }) => comparable(`t.${quote(name)}`, declared));
  const theirs = columns.map(({ name, declared }) => comparable(other(name), declared));
  return `(${ours.join(', ')}) IS DISTINCT FROM (${theirs.join(', ')})`;
}

/** Types of tables made by hand that PostgreSQL cannot compare for equality. */
const INCOMPARABLE = /^(?:json|xml|point|line|lseg|box|path|polygon|circle)$/;

function comparable(value: string, declared: string): string {
  return INCOMPARABLE.test(declared) ? `(${value})::text` : value;
}

/** The versions that rows have. */
export function distinctVersions(table: Relation, column: string): string {
  return `SELECT DISTINCT ${quote(column)}::text AS version FROM ${full(table)}`;
}

/** WHERE of rows with one of the versions `$1` (bigint[]); null counts where asked for. */
function ofVersions(column: string, unversioned: boolean): string {
  const some = `${quote(column)} = ANY ($1::bigint[])`;
  return unversioned ? `(${some} OR ${quote(column)} IS NULL)` : some;
}

/** Stamps rows of the versions `$1` that have no stamp with `$2`. */
export function stampVersions(table: Relation, stamp: string, column: string, unversioned: boolean): string {
  return `WITH gone AS (UPDATE ${full(table)} SET ${quote(stamp)} = $2 WHERE ${ofVersions(column, unversioned)} AND ${quote(stamp)} IS NULL RETURNING 1) SELECT count(*) AS deleted FROM gone`;
}

/** Deletes rows of the versions `$1`. */
export function deleteVersions(table: Relation, column: string, unversioned: boolean): string {
  return `WITH gone AS (DELETE FROM ${full(table)} WHERE ${ofVersions(column, unversioned)} RETURNING 1) SELECT count(*) AS deleted FROM gone`;
}

/** The table of records set aside. */
export function createRejects(schema: string): string {
  return `CREATE TABLE IF NOT EXISTS ${full({ schema, name: REJECTS })} (stream text NOT NULL, line bigint NOT NULL, reason text NOT NULL, record text NOT NULL, rejected_at timestamptz NOT NULL)`;
}

/** Keeps one record that was set aside. */
export function addReject(schema: string): string {
  return `INSERT INTO ${full({ schema, name: REJECTS })} (stream, line, reason, record, rejected_at) VALUES ($1, $2, $3, $4, $5)`;
}

/** The table of states, one row per pipe. The text is kept as it came, so that it goes out byte for byte. */
export function createStates(table: Relation): string {
  return `CREATE TABLE IF NOT EXISTS ${full(table)} (state_key text PRIMARY KEY, state text NOT NULL, updated_at timestamptz NOT NULL)`;
}

/** Replaces the state of a pipe. */
export function saveState(table: Relation): string {
  return `INSERT INTO ${full(table)} (state_key, state, updated_at) VALUES ($1, $2, $3) ON CONFLICT (state_key) DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at`;
}

/** The state of a pipe. */
export function readState(table: Relation): string {
  return `SELECT state FROM ${full(table)} WHERE state_key = $1`;
}

/** Waits until no other load works on the subject, until the end of the transaction. */
export const LOCK_SUBJECTS = `SELECT pg_advisory_xact_lock(hashtextextended(subject, 0)) FROM unnest($1::text[]) AS subject`;
/** The same until the end of the session. */
export const LOCK_FOR_SESSION = `SELECT pg_advisory_lock(hashtextextended($1, 0))`;
