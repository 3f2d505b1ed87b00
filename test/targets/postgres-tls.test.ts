/** sslmode over a real server: who listens, who is believed, and what is said when nobody is. */
import { chmod, copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { target } from '../../targets/postgres/target.ts';
import { begin, type Destination, load } from '../contract/target/load.ts';
import { give, unprivilegedAccount } from '../postgres/binaries.ts';
import { openDatabase, type TestDatabase } from '../postgres/database.ts';
import { startServer, type TestServer } from '../postgres/server.ts';
import { GIVEN } from '../postgres/shared.ts';

/** `cert` is made out to 127.0.0.1 and localhost, `elsewhere-cert` to another host; each is its own authority. */
const pem = (name: string) => fileURLToPath(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));
const [OWN, ELSEWHERE] = [pem('cert'), pem('elsewhere-cert')];

const SCHEMA = {
  type: 'SCHEMA',
  stream: 't',
  key_properties: ['id'],
  schema: { properties: { id: { type: 'integer' } } },
};
const INPUT = [SCHEMA, { type: 'RECORD', stream: 't', record: { id: 1 } }, { type: 'STATE', value: { n: 1 } }];

// These tests set up TLS on the server and restart it, which a server of the user's is no place for.
describe.skipIf(process.env[GIVEN])('a server with a self-made certificate', () => {
  let server: TestServer;
  let database: TestDatabase;

  beforeAll(async () => {
    server = await startServer();
    const folder = join(server.folder, 'tls');
    await mkdir(folder);
    for (const name of ['cert', 'key', 'elsewhere-cert', 'elsewhere-key']) {
      await copyFile(pem(name), join(folder, `${name}.pem`));
      await chmod(join(folder, `${name}.pem`), 0o600);
    }
    await give(folder, unprivilegedAccount());
    database = await openDatabase(server.url);
    await database.query('ALTER SYSTEM SET ssl = on');
    await present('');
  }, 120_000);

  afterAll(async () => {
    await database?.close();
    await server?.stop();
  });

  /** The server shows the certificate whose files begin so. */
  async function present(prefix: string): Promise<void> {
    for (const [setting, name] of [
      ['ssl_cert_file', 'cert'],
      ['ssl_key_file', 'key'],
    ]) {
      await database.query(`ALTER SYSTEM SET ${setting} = '${join(server.folder, 'tls', `${prefix}${name}.pem`)}'`);
    }
    await server.restart('fast');
  }

  const destination = () => ({ settings: { url: database.url } }) as unknown as Destination;
  const run = (settings: object) => load(target, destination(), INPUT, { settings: { ...settings } });

  async function isRefused(settings: object, says: RegExp): Promise<void> {
    const { code, states, critical } = await run(settings);
    expect([code, states]).toEqual([1, []]);
    expect(critical.map(({ message }) => message)).toEqual([expect.stringMatching(says)]);
  }

  it.each([
    [{ sslmode: 'disable' }, 'f'],
    [{ sslmode: 'prefer' }, 't'],
    [{}, 't'],
    [{ sslmode: 'require' }, 't'],
    [{ sslmode: 'require', sslrootcert: OWN }, 't'],
    [{ sslmode: 'verify-ca', sslrootcert: OWN }, 't'],
    [{ sslmode: 'verify-full', sslrootcert: OWN }, 't'],
    [{ sslmode: 'verify-full', sslrootcert: OWN, host: 'localhost' }, 't'],
  ])('is loaded into with %j; encrypted: %s', async (settings, encrypted) => {
    const loading = await begin(target, destination(), { settings: { ...settings, batch_rows: 1 } });
    loading.send(INPUT);
    await loading.stdin.idle();
    const sessions = await database.query(
      "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'tapworks target-postgres'",
    );
    expect(sessions).toEqual([{ ssl: encrypted }]);
    expect(await loading.finish()).toMatchObject({ code: 0, critical: [], states: ['{"n":1}'] });
  });

  it.each(['disable', 'prefer', 'require', 'verify-ca', 'verify-full'])(
    'is asked as the URL says (%s)',
    async (mode) => {
      const { code } = await run({ url: `${database.url}?sslmode=${mode}` });
      expect(code).toBe(mode.startsWith('verify') ? 1 : 0);
    },
  );

  it.each([
    [{ sslmode: 'verify-ca' }],
    [{ sslmode: 'verify-full' }],
    [{ sslmode: 'require', sslrootcert: ELSEWHERE }],
    [{ sslmode: 'verify-ca', sslrootcert: ELSEWHERE }],
    [{ sslmode: 'verify-full', sslrootcert: ELSEWHERE }],
  ])('is not believed when its authority is not known: %j', async (settings) => {
    await isRefused(settings, /no known authority has signed the server’s certificate — set sslrootcert/);
  });

  it('is not believed by a file that holds no certificate', async () => {
    const sslrootcert = fileURLToPath(import.meta.url);
    await isRefused({ sslmode: 'verify-ca', sslrootcert }, /setting sslrootcert: .* holds no certificate/);
  });

  it('with the name of another host is believed unless the name is looked at', async () => {
    await present('elsewhere-');
    for (const sslmode of ['require', 'verify-ca']) {
      expect(await run({ sslmode, sslrootcert: ELSEWHERE })).toMatchObject({ code: 0, critical: [] });
    }
    await isRefused(
      { sslmode: 'verify-full', sslrootcert: ELSEWHERE },
      /certificate is made out to another name than host — set host to a name in the certificate, or sslmode to verify-ca/,
    );
    await isRefused({ sslmode: 'verify-ca', sslrootcert: OWN }, /no known authority/);
  });
});
