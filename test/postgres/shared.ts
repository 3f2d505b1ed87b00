/** Which server the tests of a run share. */
import type { TestContext } from 'vitest';

/** Names a server of the user's: a superuser, or a role that may create databases. Then none is started. */
export const GIVEN = 'TAPWORKS_TEST_DATABASE_URL';

/** Where a run's processes ask for the server that its set-up starts. */
export const DESK = 'TAPWORKS_TEST_DATABASE_DESK';

/**
 * The URL of a role that may create databases.
 *
 * @throws Error when the server does not start, or when nobody has set one up.
 */
export async function sharedServer(): Promise<string> {
  const given = process.env[GIVEN];
  if (given) return given;
  const desk = process.env[DESK];
  if (!desk) throw new Error(`no PostgreSQL for this process: run it by vitest, or set ${GIVEN}`);
  const reply = await fetch(desk);
  const said = await reply.text();
  if (!reply.ok) throw new Error(said);
  return said;
}

/** Skips a test that must stop and restart its server when the user's own is used. */
export function needsOwnServer(context: TestContext): void {
  context.skip(Boolean(process.env[GIVEN]), `it starts a server of its own, and ${GIVEN} names another one`);
}
