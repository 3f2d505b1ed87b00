/** One at a time: whoever makes, switches or drops releases of a schema has it for himself until his connection ends. */
import { ConnectorError } from '../../../singer/errors.ts';
import type { Session } from '../connection.ts';

const TRY = 'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS taken';

/** @throws ConnectorError `destination` at once when somebody else is at it. */
export async function takeTurn(session: Session, live: string): Promise<void> {
  const [answer] = await session.query(TRY, [`tapworks releases of ${live}`]);
  if (answer?.taken === 't') return;
  throw new ConnectorError(
    'destination',
    `another program works on the releases of schema "${live}" in ${session.place}`,
    {},
    { hint: 'run again when it has ended; two loads with release blue_green never wait for each other' },
  );
}
