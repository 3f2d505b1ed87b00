/** The moment in which another release becomes live: one transaction of renames, tried again when it has to wait too long. */
import { ConnectorError, systemCode, textOf } from '../../../singer/errors.ts';
import { timestamp } from '../../../singer/io.ts';
import { backoff } from '../../../singer/retry.ts';
import type { Run } from '../../../singer/stream.ts';
import type { Session } from '../connection.ts';
import { createStates, LOCK_SUBJECTS, quote, saveState } from '../sql.ts';
import { type Change, carryOnto, makeViews, moveThings, planOf } from './carry.ts';
import { change, enter, type Release, readLedger, wasLive } from './ledger.ts';
import { originalName } from './names.ts';
import { carrySchemaOwner, carrySchemaRights } from './rights.ts';

/** What is to become live. */
export interface Switch {
  /** Name of the live schema. */
  readonly live: string;
  /** The release to become live. */
  readonly next: Release;
  /** The live schema's identity when the decision was made; undefined when there was none. */
  readonly expected: string | undefined;
  /** What becomes of the release that was live. */
  readonly former: 'superseded' | 'rolled_back';
  /** Seconds to wait for others, all tries together; 0 is for ever. */
  readonly lockSeconds: number;
  /** For the name of a live schema that no release has made. */
  readonly run: string;
}

const LOCK_NOT_AVAILABLE = '55P03';
const DEADLOCK = '40P01';
const NOT_THERE = '3F000';

/** Tries that are made however soon the time is over. */
const TRIES = 4;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/** The identity of a schema. */
export async function schemaOid(session: Session, schema: string): Promise<string | undefined> {
  return (await session.query('SELECT oid FROM pg_namespace WHERE nspname = $1', [schema]))[0]?.oid ?? undefined;
}

/** Makes a release live. @throws ConnectorError when it cannot be; then everything is as it was. */
export async function switchTo(session: Session, order: Switch, run: Run): Promise<void> {
  const start = run.clock.now();
  for (let number = 1; ; number += 1) {
    try {
      await session.query('BEGIN');
      await once(session, order, run.clock.now());
      await session.query('COMMIT');
      return;
    } catch (cause) {
      await session.query('ROLLBACK').catch(() => undefined);
      const code = cause instanceof Error ? systemCode(cause.cause) : undefined;
      if (code === NOT_THERE) throw moved(order.live);
      if (code !== LOCK_NOT_AVAILABLE && code !== DEADLOCK) throw cause;
      const over = order.lockSeconds > 0 && run.clock.now() - start >= order.lockSeconds * 1000;
      if (over && number >= TRIES) throw locked(order, cause);
      const pause = Math.min(backoff(FIRST_PAUSE_MS, number, run.clock), LONGEST_PAUSE_MS);
      run.log.info(
        'switch_waits',
        `somebody holds a lock on what belongs to schema "${order.live}"; the switch is tried again`,
        {
          attempt: number,
        },
      );
      await run.clock.sleep(pause, run.signal);
    }
  }
}

async function once(session: Session, order: Switch, now: number): Promise<void> {
  const { live, next, expected } = order;
  const releases = await readLedger(session, live);
  const oid = await schemaOid(session, live);
  if (oid !== expected) throw moved(live);
  const current = releases.find((release) => release.oid === oid);
  await keepLoadersOut(session, live, Object.keys(next.tables));
  const former = current?.release ?? originalName(live, order.run);
  if (oid === undefined) {
    await session.query(`ALTER SCHEMA ${quote(next.release)} RENAME TO ${quote(live)}`);
  } else {
    await replace(session, order, { oid, former, tables: current?.tables ?? {} });
    const gone = { status: order.former } as const;
    if (current !== undefined) await change(session, former, now, gone);
    else
      await enter(session, live, {
        ...next,
        ...gone,
        release: former,
        oid,
        tables: {},
        replaced: undefined,
        startedAt: undefined,
        switchedAt: undefined,
      });
  }
  await change(session, next.release, now, {
    status: 'live',
    switchedAt: timestamp(now),
    ...(oid !== undefined && order.former === 'superseded' && { replaced: former }),
    ...(next.state !== undefined && { state: next.state }),
    ...(next.place !== undefined && { place: next.place }),
  });
  await keepState(session, live, next, now);
}

/** Plain loads take these locks for each of their transactions; theirs ends first, or waits until ours has. */
async function keepLoadersOut(session: Session, live: string, tables: readonly string[]): Promise<void> {
  const subjects = [`tapworks ${live}`, ...tables.map((table) => `tapworks ${live} ${table}`)].sort();
  await session.query(LOCK_SUBJECTS, [subjects]);
}

interface Former {
  readonly oid: string;
  /** What it will be called. */
  readonly former: string;
  readonly tables: Release['tables'];
}

async function replace(session: Session, order: Switch, { oid, former, tables }: Former): Promise<void> {
  const { live, next } = order;
  const fresh = !wasLive(next);
  const parts: Change = {
    live: { schema: live, oid, tables },
    next: { schema: next.release, oid: next.oid },
    fresh,
  };
  const plan = await planOf(session, parts);
  await carrySchemaRights(session, oid, next.release);
  await carryOnto(session, plan);
  await hurry(session);
  await moveThings(session, parts, plan);
  await session.query(`ALTER SCHEMA ${quote(live)} RENAME TO ${quote(former)}`);
  await session.query(`ALTER SCHEMA ${quote(next.release)} RENAME TO ${quote(live)}`);
  await makeViews(session, parts, plan, former);
  await carrySchemaOwner(session, oid, live);
}

/**
 * A reader who waits for what we hold while we wait for what he holds would be ended by the server after deadlock_timeout.
 * We give up sooner, so it is never the reader.
 */
async function hurry(session: Session): Promise<void> {
  await session.query(
    `SELECT set_config('lock_timeout', greatest(10, setting::int * 2 / 5)::text, true) FROM pg_settings WHERE name = 'deadlock_timeout'`,
  );
}

/** The state goes with its rows: after a rollback the next load goes on from where those came from. */
async function keepState(session: Session, live: string, { state, place }: Release, now: number): Promise<void> {
  if (state === undefined || place === undefined) return;
  const table = { schema: live, name: place.table };
  await session.query(createStates(table));
  await session.query(saveState(table), [place.key, state, timestamp(now)]);
}

function moved(live: string): ConnectorError {
  return new ConnectorError(
    'destination',
    `schema "${live}" is not the one that was there when this program began`,
    { path: live },
    { hint: 'look at target-postgres releases, then promote the release that should be live' },
  );
}

function locked({ live, next }: Switch, cause: unknown): ConnectorError {
  return new ConnectorError(
    'destination',
    `release ${next.release} could not take the place of schema "${live}": ${textOf(cause)}`,
    { path: live },
    { cause, hint: 'end whoever reads for so long, then run target-postgres promote' },
  );
}
