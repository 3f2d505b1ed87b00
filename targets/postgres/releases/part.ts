/** One stream's part of a release: its table, the way into it, and what is known of its content. */
import type { SinkStream } from '../../../singer/sink.ts';
import { type Counts, noRows } from '../../counts.ts';
import type { Session } from '../connection.ts';
import type { Lane } from '../lane.ts';
import type { Table } from '../tables.ts';
import { type Content, Fingerprint, storedContent } from './fingerprint.ts';

/** All fields change while the load goes on. */
export interface Part {
  stream: SinkStream;
  lane: Lane;
  counts: Counts;
  /** What the table must hold by now; undefined while rows are merged by key, which changes rows that are there. */
  fingerprint: Fingerprint | undefined;
  /** The table has its key, and rows are merged into it. */
  merging: boolean;
  /** Nothing but COPY has touched the table, so its rows are frozen. */
  frozen: boolean;
}

/** A part whose table was just made. */
export function newPart(stream: SinkStream, lane: Lane): Part {
  return { stream, lane, counts: noRows(), fingerprint: new Fingerprint(), merging: false, frozen: true };
}

/** What is wrong with the stored rows, compared with those that were sent; undefined if nothing. */
export async function difference(session: Session, part: Part): Promise<string | undefined> {
  if (part.fingerprint === undefined) return undefined;
  const { relation, columns } = part.lane.table;
  const sent = part.fingerprint.content;
  const stored = await storedContent(session, relation, columns);
  if (stored.rows !== sent.rows) return `table ${relation.name} has ${stored.rows} rows, but ${sent.rows} were sent`;
  if (stored.hash !== sent.hash)
    return `table ${relation.name} does not hold what was sent (content hash ${stored.hash}, not ${sent.hash})`;
  return undefined;
}

/** The table was changed by other means than rows that were sent: what it holds now is what it must hold. */
export async function startAnew(session: Session, part: Part, table: Table): Promise<void> {
  part.frozen = false;
  const content: Content = await storedContent(session, table.relation, table.columns);
  if (part.fingerprint !== undefined) part.fingerprint = new Fingerprint(content);
}
