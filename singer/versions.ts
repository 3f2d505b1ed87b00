/**
 * Versions of full-table streams. A tap numbers each reading (RECORD.version) and says ACTIVATE_VERSION when it is whole:
 * rows of earlier readings are gone. Which rows that concerns is decided here, for every target alike.
 */
import type { Log } from './log.ts';
import type { Sink, SinkStream } from './sink.ts';

/** Below this a version is a plain counter; above, a point in time in the unit that its size tells. */
const FIRST_MOMENT = 10n ** 8n;

/** Seconds, milliseconds, microseconds and nanoseconds since 1970 never meet: each is a thousand times the one before. */
function unitOf(version: bigint): number {
  if (version < FIRST_MOMENT) return 0;
  const digits = version.toString().length;
  return digits <= 11 ? 1 : digits <= 14 ? 2 : digits <= 17 ? 3 : 4;
}

/** What an ACTIVATE_VERSION means for the versions that a table has. */
export type Activation =
  | { readonly kind: 'retire'; readonly versions: readonly (bigint | null)[] }
  /** The table has rows of a newer version: the message is late, and to follow it would mark present rows. */
  | { readonly kind: 'older'; readonly than: bigint }
  /** The unit has changed: the numbers cannot be compared. */
  | { readonly kind: 'jump'; readonly from: bigint };

/**
 * Compares `version` with those of a table. Versions in another unit are neither older nor newer: a tap that changed from
 * seconds to milliseconds would otherwise take everything away, and one that changed back nothing ever. Rows without a
 * version count as older only if the stream has versions (`found` holds one) and brought none without in this run.
 */
export function activation(
  version: bigint,
  found: readonly (bigint | null)[],
  unversionedInThisRun: boolean,
): Activation {
  const unit = unitOf(version);
  const numbered = found.filter((other) => other !== null && other !== version) as bigint[];
  const comparable = numbered.filter((other) => unit === 0 || unitOf(other) === 0 || unitOf(other) === unit);
  const newest = comparable.reduce((most, other) => (other > most ? other : most), version);
  if (newest > version) return { kind: 'older', than: newest };
  const [other] = numbered;
  if (comparable.length === 0 && other !== undefined) return { kind: 'jump', from: other };
  const unnumbered = found.includes(null) && found.some((one) => one !== null) && !unversionedInThisRun;
  return { kind: 'retire', versions: unnumbered ? [...comparable, null] : comparable };
}

/** How an ACTIVATE_VERSION is carried out. */
export interface ActivationOrder {
  readonly version: bigint;
  /** This run brought records of the stream without a version. */
  readonly unversioned: boolean;
  readonly hard: boolean;
  /** The time for marks, RFC 3339 in UTC. */
  readonly at: string;
}

/** Carries out an ACTIVATE_VERSION in the sink's open transaction, or says why it is ignored. */
export async function activate(sink: Sink, stream: SinkStream, order: ActivationOrder, log: Log): Promise<void> {
  const { version, unversioned, hard, at } = order;
  const decision = activation(version, await sink.versions(stream), unversioned);
  if (decision.kind === 'retire') {
    if (decision.versions.length > 0) await sink.retire(stream, { versions: decision.versions, hard, at });
    return;
  }
  const why =
    decision.kind === 'older' ? `is older than ${decision.than}` : `has another unit of time than ${decision.from}`;
  log.warn(
    'version_ignored',
    `stream "${stream.name}": ACTIVATE_VERSION ${version} ${why}, which the table has; no row is deleted`,
    { stream: stream.name },
  );
}
