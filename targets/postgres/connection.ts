/** Reaching a PostgreSQL server: the connection and its session settings. */
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import pg from 'pg';
import { ConnectorError, systemCode, textOf } from '../../singer/errors.ts';
import type { Run } from '../../singer/stream.ts';
import { destinationError } from './failures.ts';

export type SslMode = 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';

/** Where the server is and who asks. */
export interface Address {
  readonly url: string | undefined;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly sslMode: SslMode | undefined;
  /** File with the certificates of the authorities that may have signed the server's. */
  readonly sslRootCertificate: string | undefined;
}

/** How long the session waits, in seconds; 0 is for ever. */
export interface Patience {
  readonly lockSeconds: number;
  readonly statementSeconds: number;
}

/** Seconds until a server that does not answer is given up. */
const CONNECT_SECONDS = 15;
/** A peer that vanished without a word is noticed by probes; without them a load could wait for hours. */
const KEEP_ALIVE_MS = 30_000;

/** How long the server has to end a commit after a signal. */
const STOP_MS = 10_000;

/** What a query returns: every value as PostgreSQL's text. */
export type Answer = Readonly<Record<string, string | null>>;

/** One connection. Every failure that leaves it is a ConnectorError. */
export class Session {
  readonly client: pg.Client;
  /** For error texts; without the password. */
  readonly place: string;
  readonly #ended = new AbortController();
  #lost: Error | undefined;

  constructor(client: pg.Client, place: string) {
    this.client = client;
    this.place = place;
    // Without a listener a connection that breaks between two queries would end the process.
    client.on('error', (cause) => {
      this.#lost ??= cause;
    });
  }

  /** Runs one statement, or several without values. */
  async query(sql: string, values?: readonly unknown[]): Promise<readonly Answer[]> {
    try {
      const result = await this.client.query<Answer>({
        text: sql,
        ...(values !== undefined && { values: [...values] }),
      });
      return result.rows;
    } catch (cause) {
      throw this.failure('write to', cause);
    }
  }

  /** A server that stays silent must not keep a run that was asked to stop: the connection is cut a while later. */
  stopWith({ signal, clock }: Pick<Run, 'signal' | 'clock'>): void {
    const ended = this.#ended.signal;
    const cut = () => {
      clock.sleep(STOP_MS, ended).then(
        () => this.#cut(),
        () => undefined,
      );
    };
    signal.addEventListener('abort', cut, { once: true, signal: ended });
  }

  /** The server takes back what is not committed. */
  #cut(): void {
    (this.client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream.destroy();
  }

  /** Ends the connection; what is not committed is taken back by the server. */
  async end(): Promise<void> {
    if (this.#lost === undefined) await this.client.end().catch(() => undefined);
    this.#ended.abort();
  }

  /** Whether the server can still be spoken to. */
  get lost(): boolean {
    return this.#lost !== undefined;
  }

  /** The failure in user's words. */
  failure(doing: string, cause: unknown): unknown {
    return destinationError(this.place, doing, systemCode(cause) === undefined ? (this.#lost ?? cause) : cause);
  }
}

/**
 * Connects, and sets what a load depends on: formats, UTC, patience, and an empty search path, so that no table or
 * function of somebody else can take the place of one that is meant.
 * @throws ConnectorError `destination` when the server cannot be reached or refuses.
 */
export async function connect(address: Address, patience: Patience): Promise<Session> {
  const { options, place, sslMode } = optionsOf(address);
  const attempts: (ConnectionOptions | false)[] =
    sslMode === 'disable'
      ? [false]
      : sslMode === 'prefer'
        ? [{ rejectUnauthorized: false }, false]
        : [verification(sslMode, address.sslRootCertificate)];
  for (const [index, ssl] of attempts.entries()) {
    const session = new Session(new pg.Client({ ...options, ssl }), place);
    try {
      await session.client.connect();
      await session.query(settingsSql(patience));
      return session;
    } catch (cause) {
      await session.end();
      const unencrypted = /does not support SSL/.test(textOf(cause)) && index + 1 < attempts.length;
      if (!unencrypted) throw destinationError(place, 'connect to', cause);
    }
  }
  throw new Error('no way to connect was tried');
}

/** Whatever the database or the role presets, a load runs under these; the search path first, for it decides what names mean. */
function settingsSql({ lockSeconds, statementSeconds }: Patience): string {
  return `SET search_path = ''; SET DateStyle = 'ISO, YMD'; SET TimeZone = 'UTC'; SET standard_conforming_strings = on;
    SET synchronous_commit = on; SET idle_in_transaction_session_timeout = 0; SET client_min_messages = warning;
    SET extra_float_digits = 1; SET default_transaction_isolation = 'read committed'; SET transform_null_equals = off;
    SET lock_timeout = ${Math.round(lockSeconds * 1000)}; SET statement_timeout = ${Math.round(statementSeconds * 1000)};
    SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings
    WHERE name IN ('idle_session_timeout', 'transaction_timeout')`;
}

/** Everything as text: digits and times pass as PostgreSQL prints them. */
const AS_TEXT = { getTypeParser: () => (value: string) => value } as unknown as pg.CustomTypesConfig;

interface Options {
  readonly options: pg.ClientConfig;
  readonly place: string;
  readonly sslMode: SslMode;
}

function optionsOf(address: Address): Options {
  const from = address.url === undefined ? {} : fromUrl(address.url);
  const merged = {
    host: address.host ?? from.host ?? 'localhost',
    port: address.port ?? from.port ?? 5432,
    user: address.user ?? from.user,
    password: address.password ?? from.password,
    database: address.database ?? from.database ?? address.user ?? from.user,
  };
  return {
    options: {
      ...Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined)),
      application_name: 'tapworks target-postgres',
      connectionTimeoutMillis: CONNECT_SECONDS * 1000,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      types: AS_TEXT,
    },
    place: `${merged.host}:${merged.port}/${merged.database ?? ''}`,
    sslMode: address.sslMode ?? from.sslMode ?? 'prefer',
  };
}

interface UrlParts {
  host?: string;
  port?: number;
  user?: string;
  password?: string;
  database?: string;
  sslMode?: SslMode;
}

/** `sslmode` is read here, because the driver takes `require` for `verify-full`, which PostgreSQL's own clients do not. */
function fromUrl(text: string): UrlParts {
  const url = new URL(text);
  const mode = url.searchParams.get('sslmode');
  const host = url.searchParams.get('host') ?? decodeURIComponent(url.hostname);
  return {
    ...(host !== '' && { host: host.replace(/^\[(.*)\]$/, '$1') }),
    ...(url.port !== '' && { port: Number(url.port) }),
    ...(url.username !== '' && { user: decodeURIComponent(url.username) }),
    ...(url.password !== '' && { password: decodeURIComponent(url.password) }),
    ...(url.pathname.length > 1 && { database: decodeURIComponent(url.pathname.slice(1)) }),
    ...(mode !== null && { sslMode: mode as SslMode }),
  };
}

function verification(mode: SslMode, file: string | undefined): ConnectionOptions {
  const ca = file === undefined ? {} : { ca: certificates(file) };
  if (mode === 'require' && file === undefined) return { rejectUnauthorized: false };
  // verify-ca trusts whoever the authority trusts, whatever the name.
  return { ...ca, rejectUnauthorized: true, ...(mode !== 'verify-full' && { checkServerIdentity: () => undefined }) };
}

function certificates(file: string): string {
  const fault = (problem: string, cause?: unknown) =>
    new ConnectorError('config', `setting sslrootcert: ${problem}`, { setting: 'sslrootcert', path: file }, { cause });
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw fault(`cannot read ${file}: ${textOf(cause)}`, cause);
  }
  // Node takes a file without one for a list of nobody.
  if (!text.includes('CERTIFICATE-----')) throw fault(`${file} holds no certificate in PEM form`);
  return text;
}
