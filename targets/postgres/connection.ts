/** Reaching a PostgreSQL server: the connection, its session settings, and what went wrong in user's words. */
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import pg from 'pg';
import { ConnectorError, systemCode, textOf } from '../../singer/errors.ts';
import type { Run } from '../../singer/stream.ts';

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

/**
 * What went wrong, in user's words. PostgreSQL repeats values in some of its messages; those parts are left out.
 */
export function destinationError(place: string, doing: string, cause: unknown): unknown {
  if (cause instanceof ConnectorError) return cause;
  const code = systemCode(cause) ?? UNCODED.find(([said]) => said.test(textOf(cause)))?.[1];
  if (code === undefined) return cause;
  const [problem, hint] = explain(code, cause);
  return new ConnectorError(
    'destination',
    `cannot ${doing} the database ${place}: ${problem}`,
    {},
    { cause, ...(hint !== undefined && { hint }) },
  );
}

/** Failures that the driver gives no code, by what it says. */
const UNCODED: readonly (readonly [said: RegExp, code: string])[] = [
  [/does not support SSL/, 'unencrypted'],
  [/error establishing an SSL connection/, 'stranger'],
  [/client password must be/, 'passwordless'],
  [/timeout expired/, 'ETIMEDOUT'],
  [/terminated unexpectedly|Connection terminated|not queryable|has been ended/, 'lost'],
];

const RERUN = 'run again with the last state; what was confirmed is safe, the last batch was not written';
const LOST = ['the connection was lost', RERUN] as const;

const UNTRUSTED = [
  'no known authority has signed the server’s certificate',
  'set sslrootcert to the certificate of the authority that has, or sslmode to require, which does not check it',
] as const;

/** By SQLSTATE (PostgreSQL documents them in its appendix A), else by the system's code. */
const EXPLANATIONS: Readonly<Record<string, readonly [string, string | undefined]>> = {
  ECONNREFUSED: ['nothing answers there', 'start the server, or correct host and port'],
  ENOTFOUND: ['the host is not known', 'correct the host'],
  EAI_AGAIN: ['the host name cannot be looked up now', 'look at the network, then run again'],
  ETIMEDOUT: ['it does not answer', 'look at the network and the firewall'],
  ENOENT: ['there is no socket', 'correct the host: a folder means the socket in it'],
  EHOSTUNREACH: ['there is no way to the host', 'look at the network and the firewall'],
  ENETUNREACH: ['there is no way to the host', 'look at the network and the firewall'],
  ECONNRESET: LOST,
  ECONNABORTED: LOST,
  EPIPE: LOST,
  ERR_STREAM_DESTROYED: LOST,
  ERR_STREAM_PREMATURE_CLOSE: LOST,
  ERR_STREAM_WRITE_AFTER_END: LOST,
  lost: LOST,
  stranger: ['what answers there is not PostgreSQL', 'correct host and port'],
  passwordless: ['the server asks for a password, and none is set', 'set password'],
  unencrypted: ['the server does not encrypt', 'set up TLS on the server, or set sslmode to prefer or disable'],
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  CERT_HAS_EXPIRED: ['the server’s certificate has expired', 'renew it on the server'],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'the server’s certificate is made out to another name than host',
    'set host to a name in the certificate, or sslmode to verify-ca, which does not look at the name',
  ],
  '57P01': ['the server ended the connection', RERUN],
  '57P02': ['the server was restarted', RERUN],
  '57P03': ['the server is starting up or shutting down', 'run again in a minute'],
  '08006': LOST,
  '28P01': ['the password was refused', 'correct user and password'],
  '28000': ['the server does not let this user in', 'correct user and sslmode, or the server’s pg_hba.conf'],
  '25006': [
    'it takes no changes now',
    'load into the primary server, not a standby; see default_transaction_read_only',
  ],
  '40001': ['another program changed the same rows', 'run again; nothing of the last batch was written'],
  '3D000': ['the database does not exist', 'create it, or correct the setting database'],
  '42501': ['this user is not allowed to', 'grant the user what docs/target-postgres.md lists'],
  '53100': ['the disk of the server is full', 'free some space and run again; the last batch was not written'],
  '53200': ['the server has no memory left', 'run again, with a smaller batch_rows if it happens again'],
  '53300': ['the server has no connection left', 'run again later, or raise max_connections'],
  '55P03': [
    'a table stayed locked for longer than lock_timeout_seconds',
    'end the other program, or raise the setting',
  ],
  '57014': ['a statement took longer than statement_timeout_seconds', 'raise the setting'],
  '40P01': ['two loads waited for each other', 'run again; nothing of the last batch was written'],
  '54000': ['a value is too large for an index', 'leave the key or the index over this property out'],
  'row is too big': ['a row is too big for a page of the server', 'deselect properties of the stream at the tap'],
  '54011': ['a table has at most 1600 columns, those that were dropped included', 'deselect properties of the stream'],
  '2BP01': ['other objects depend on it', 'drop or change those objects first'],
  '0A000': ['a view or rule uses the column that has to change its type', 'drop the view, load, and create it again'],
};

interface ServerError {
  readonly severity?: string;
  readonly detail?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
}

function explain(code: string, cause: unknown): readonly [string, string | undefined] {
  // Both are SQLSTATE 54000 (a limit of the program), and only the text tells them apart.
  const known = EXPLANATIONS[/^row is too big/.exec(textOf(cause))?.[0] ?? code];
  const { severity, detail, table, column, constraint } = cause as ServerError;
  const named = [
    table === undefined ? '' : `table "${table}"`,
    column === undefined ? '' : `column "${column}"`,
    constraint === undefined ? '' : `constraint "${constraint}"`,
  ].filter((part) => part !== '');
  const where = named.length === 0 ? '' : ` (${named.join(', ')})`;
  // The detail names the objects, and no values.
  if (code === '2BP01' && detail !== undefined) return [`${known?.[0]}: ${textOf(detail)}`, known?.[1]];
  if (known !== undefined) return [`${known[0]}${code === '42501' ? `: ${safe(cause)}` : ''}${where}`, known[1]];
  if (severity === undefined) return [safe(cause), undefined];
  return [`${safe(cause)}${where} [SQLSTATE ${code}]`, 'nothing of the last batch was written'];
}

/** PostgreSQL puts values behind a colon (`invalid input syntax for type uuid: "…"`). */
function safe(cause: unknown): string {
  return textOf(cause).replace(/: ".*$/s, '');
}
