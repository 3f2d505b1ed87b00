/** What failures of the server and of the way to it mean, and what to do about them. */
import { ConnectorError, systemCode, textOf } from '../../singer/errors.ts';

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
