/** Removing releases that nobody needs any more. Apart from the switch, since it waits for whoever still reads from them. */
import { systemCode, textOf } from '../../../singer/errors.ts';
import type { Run } from '../../../singer/stream.ts';
import type { Session } from '../connection.ts';
import { full, quote } from '../sql.ts';
import { holdingsOf } from './holdings.ts';
import { change, type Release, readLedger } from './ledger.ts';
import { schemaOid } from './switch.ts';

/** Seconds to wait for a reader; the next run tries again. */
const PATIENCE_SECONDS = 5;

/**
 * Drops the schema of a release with its tables and views, and nothing outside of it.
 * @throws ConnectorError when something else hangs on it, or somebody reads from it for too long.
 */
export async function dropRelease(session: Session, release: string, lockSeconds: number, now: number): Promise<void> {
  await session.query('BEGIN');
  try {
    await session.query(`SET LOCAL lock_timeout = ${Math.round(lockSeconds * 1000)}`);
    const oid = await schemaOid(session, release);
    if (oid !== undefined) {
      const { relations } = await holdingsOf(session, oid);
      for (const [kinds, word] of [
        ['v', 'VIEW'],
        ['rp', 'TABLE'],
      ] as const) {
        const names = relations
          .filter(({ kind }) => kinds.includes(kind))
          .map(({ name }) => full({ schema: release, name }));
        if (names.length > 0) await session.query(`DROP ${word} ${names.join(', ')}`);
      }
      await session.query(`DROP SCHEMA ${quote(release)}`);
    }
    await change(session, release, now, { status: 'dropped' });
    await session.query('COMMIT');
  } catch (cause) {
    await session.query('ROLLBACK').catch(() => undefined);
    throw cause;
  }
}

/** Releases that were live and are kept, the newest first. */
export function formerOnes(releases: readonly Release[]): readonly Release[] {
  return releases.filter(({ status }) => status === 'superseded' || status === 'rolled_back');
}

const BUSY = new Set(['55P03', '40P01']);

/** Drops a release, or says why that has to wait. */
export async function tryToDrop(session: Session, release: string, run: Run): Promise<void> {
  try {
    await dropRelease(session, release, PATIENCE_SECONDS, run.clock.now());
    run.log.info('release_dropped', `release ${release} was dropped`, { release });
  } catch (cause) {
    const busy = cause instanceof Error && BUSY.has(systemCode(cause.cause) ?? '');
    const why = busy ? 'somebody still reads from it' : textOf(cause);
    run.log.warn('release_kept', `release ${release} could not be dropped yet: ${why}`, { release });
  }
}

/** Drops releases beyond those that are to be kept. One that is still read from, or that something hangs on, stays for now. */
export async function dropSuperseded(session: Session, live: string, keep: number, run: Run): Promise<void> {
  const releases = await readLedger(session, live);
  const replaced = releases.find(({ status }) => status === 'live')?.replaced;
  // The one that a rollback would bring back comes first, however old it is.
  const former = formerOnes(releases).toSorted(
    (a, b) => Number(b.release === replaced) - Number(a.release === replaced),
  );
  for (const { release } of former.slice(keep)) await tryToDrop(session, release, run);
}
