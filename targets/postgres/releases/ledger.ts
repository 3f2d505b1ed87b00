/** The books of releases: one row each in a schema of its own, because the schemas that it tells about are renamed. */
import { timestamp } from '../../../singer/io.ts';
import type { StatePlace } from '../../settings.ts';
import type { Session } from '../connection.ts';
import { ensureSchema } from '../inspection.ts';
import { full, LOCK_SUBJECTS, quote, type Relation } from '../sql.ts';
import { CONTROL_SCHEMA } from './names.ts';

const LEDGER: Relation = { schema: CONTROL_SCHEMA, name: 'releases' };

/**
 * - `loaded`: whole, not live yet.
 * - `refused`: a check failed; kept to be looked at.
 * - `waiting`: good, but it could not be made live; `promote` tries again.
 * - `live`: what readers see.
 * - `superseded`: was live until a newer one came.
 * - `rolled_back`: was live until an older one was brought back.
 * - `dropped`: its schema is gone.
 */
export type Status = 'loaded' | 'refused' | 'waiting' | 'live' | 'superseded' | 'rolled_back' | 'dropped';

/** One table of a release as it was loaded. */
export interface LoadedTable {
  readonly stream: string;
  readonly rows: number;
  /** The content hash of all rows (fingerprint.ts). */
  readonly hash: string;
  readonly columns: readonly string[];
}

/** The tables of a release by name. */
export type LoadedTables = Readonly<Record<string, LoadedTable>>;

/** One release. */
export interface Release {
  /** Its name, which its schema has except while it is live. */
  readonly release: string;
  readonly status: Status;
  /** The schema's identity, whatever it is called. */
  readonly oid: string;
  /** Empty for a schema that no release has made. */
  readonly tables: LoadedTables;
  /** The release that it took the place of. */
  readonly replaced: string | undefined;
  /** Why it was refused or waits. */
  readonly note: string | undefined;
  /** The state that is true of its rows, and where it is kept. */
  readonly state: string | undefined;
  readonly place: StatePlace | undefined;
  /** Unknown for a schema that no release has made. */
  readonly startedAt: string | undefined;
  readonly switchedAt: string | undefined;
}

/** Whether readers have seen it as the live schema. */
export function wasLive({ status }: Pick<Release, 'status'>): boolean {
  return status === 'live' || status === 'superseded' || status === 'rolled_back';
}

const COLUMNS = `release text PRIMARY KEY, number bigint GENERATED ALWAYS AS IDENTITY, live_schema text NOT NULL, status text NOT NULL, schema_oid oid NOT NULL,
  tables jsonb NOT NULL, replaced text, note text, state text, state_table text, state_key text,
  started_at timestamptz, switched_at timestamptz, ended_at timestamptz`;

/** Makes the books when they are not there. In a transaction of its own. */
export async function openLedger(session: Session): Promise<void> {
  if ((await session.query('SELECT to_regclass($1) AS found', [full(LEDGER)]))[0]?.found != null) return;
  await session.query('BEGIN');
  await session.query(LOCK_SUBJECTS, [[`tapworks ${CONTROL_SCHEMA}`]]);
  await ensureSchema(session, CONTROL_SCHEMA, quote(CONTROL_SCHEMA));
  await session.query(`CREATE TABLE IF NOT EXISTS ${full(LEDGER)} (${COLUMNS})`);
  await session.query('COMMIT');
}

/** Whether the books are there. */
export async function hasLedger(session: Session): Promise<boolean> {
  return (await session.query('SELECT to_regclass($1) AS found', [full(LEDGER)]))[0]?.found != null;
}

/** A schema that somebody dropped by hand counts as dropped. */
const READ = `SELECT l.release, CASE WHEN n.oid IS NULL THEN 'dropped' ELSE l.status END AS status, l.schema_oid AS oid, l.tables, l.replaced, l.note,
  l.state, l.state_table, l.state_key, to_char(l.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS started_at,
  to_char(l.switched_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS switched_at
  FROM ${full(LEDGER)} l LEFT JOIN pg_namespace n ON n.oid = l.schema_oid AND n.nspname IN (l.release, l.live_schema)
  WHERE l.live_schema = $1 ORDER BY l.started_at IS NULL, l.number DESC`;

/** The releases of a live schema, the newest first; by their order and not by the time, because clocks are set back. */
export async function readLedger(session: Session, live: string): Promise<readonly Release[]> {
  return (await session.query(READ, [live])).map(
    (row): Release => ({
      release: row.release ?? '',
      status: row.status as Status,
      oid: row.oid ?? '',
      tables: JSON.parse(row.tables ?? '{}') as LoadedTables,
      replaced: row.replaced ?? undefined,
      note: row.note ?? undefined,
      state: row.state ?? undefined,
      place: row.state_table == null ? undefined : { table: row.state_table, key: row.state_key ?? '' },
      startedAt: row.started_at ?? undefined,
      switchedAt: row.switched_at ?? undefined,
    }),
  );
}

/** Enters a release. */
export async function enter(
  session: Session,
  live: string,
  { release, status, oid, tables, startedAt, replaced, switchedAt }: Omit<Release, 'note' | 'state' | 'place'>,
): Promise<void> {
  await session.query(
    `INSERT INTO ${full(LEDGER)} (release, live_schema, status, schema_oid, tables, replaced, started_at, switched_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [release, live, status, oid, JSON.stringify(tables), replaced ?? null, startedAt ?? null, switchedAt ?? null],
  );
}

/** What can change about a release. A property that is left out stays. */
export interface Change {
  readonly status: Status;
  readonly note?: string;
  readonly replaced?: string;
  readonly switchedAt?: string;
  readonly state?: string;
  readonly place?: StatePlace;
}

/** Enters what has become of a release. */
export async function change(session: Session, release: string, now: number, to: Change): Promise<void> {
  const { status, note, replaced, switchedAt, state, place } = to;
  await session.query(
    `UPDATE ${full(LEDGER)} SET status = $2, note = CASE WHEN $2 = 'live' THEN NULL ELSE coalesce($3, note) END, replaced = coalesce($4, replaced),
     switched_at = coalesce($5, switched_at), state = coalesce($6, state), state_table = coalesce($7, state_table),
     state_key = coalesce($8, state_key), ended_at = CASE WHEN $2 = 'dropped' THEN $9::timestamptz ELSE ended_at END WHERE release = $1`,
    [
      release,
      status,
      note ?? null,
      replaced ?? null,
      switchedAt ?? null,
      state ?? null,
      place?.table ?? null,
      place?.key ?? null,
      timestamp(now),
    ],
  );
}
