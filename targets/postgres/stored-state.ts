/** The state that a database keeps beside the rows. */
import type { StatePlace } from '../settings.ts';
import { type Address, connect, type Patience } from './connection.ts';
import { exists } from './inspection.ts';
import { readState } from './sql.ts';

/** The state as JSON text; undefined when the table or the row is not there. Nothing is created or changed. */
export async function storedState(
  address: Address,
  patience: Patience,
  schema: string,
  { table: name, key }: StatePlace,
): Promise<string | undefined> {
  const session = await connect(address, patience);
  try {
    const table = { schema, name };
    if (!(await exists(session, table))) return undefined;
    return (await session.query(readState(table), [key]))[0]?.state ?? undefined;
  } finally {
    await session.end();
  }
}
