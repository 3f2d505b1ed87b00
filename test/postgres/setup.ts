/**
 * One server for a whole test run. It starts when the first test asks for a database, so that a run which needs none does
 * not wait for it, and ends with the run.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startServer, type TestServer } from './server.ts';
import { DESK, GIVEN } from './shared.ts';

/**
 * Opens the place where the run's processes ask for the server.
 *
 * @returns what ends it, and the server if it was asked for.
 */
export async function shareServer(): Promise<() => Promise<void>> {
  if (process.env[GIVEN]) return async () => {};
  let server: Promise<TestServer> | undefined;
  // The answer holds a password, so the question holds a secret.
  const path = `/${randomBytes(24).toString('hex')}`;
  const desk = createServer((request, reply) => {
    if (request.url !== path) {
      reply.writeHead(404).end();
      return;
    }
    server ??= startServer();
    server.then(
      ({ url }) => reply.end(url),
      (error: Error) => reply.writeHead(500).end(error.message),
    );
  });
  desk.listen(0, '127.0.0.1');
  await once(desk, 'listening');
  process.env[DESK] = `http://127.0.0.1:${(desk.address() as AddressInfo).port}${path}`;
  return async () => {
    delete process.env[DESK];
    desk.close();
    desk.closeAllConnections();
    const started = await server?.catch(() => undefined);
    await started?.stop();
  };
}

/** Called by vitest before the first file. @returns what it calls after the last one. */
export default function setup(): Promise<() => Promise<void>> {
  if (process.env[GIVEN]) {
    process.stderr.write(`${GIVEN} is set: tests that stop and restart a PostgreSQL of their own are skipped.\n`);
  }
  return shareServer();
}
