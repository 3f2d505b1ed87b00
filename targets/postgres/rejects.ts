/** Records that are set aside, in the table `_tapworks_rejects` of a schema. */
import { timestamp } from '../../singer/io.ts';
import type { Reject } from '../../singer/sink.ts';
import type { Session } from './connection.ts';
import { addReject, createRejects } from './sql.ts';

/** Keeps the records, with what PostgreSQL cannot store replaced by U+FFFD. `now` is in milliseconds since 1970. */
export async function keepRejects(
  session: Session,
  schema: string,
  records: readonly Reject[],
  now: number,
): Promise<void> {
  await session.query(createRejects(schema));
  const at = timestamp(now);
  for (const { stream, line, reason, record } of records) {
    const [name, why, text] = [stream, reason, JSON.stringify(record)].map((one) =>
      one.toWellFormed().replaceAll('\0', '\ufffd'),
    );
    await session.query(addReject(schema), [name, line, why, text, at]);
  }
}
