/**
 * The one error class of tapworks. Three places catch: the retry layer (decides), the page loop (records a gap) and
 * the runner (turns it into an exit code); anything else that catches must rethrow.
 */

/** The closed set of failure classes. `docs/errors.md` explains each; a test keeps the two in step. */
export const ERROR_CODES = [
  'config',
  'protocol',
  'auth',
  'network',
  'throttled',
  'upstream',
  'parse',
  'schema',
  'state',
  'destination',
  'gate',
  'interrupted',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** Where it happened, as far as known. The same field names appear in log lines, so a failure can be followed by grep. */
export interface Where {
  readonly stream?: string;
  readonly page?: number;
  /** Row of another endpoint that the page belongs to. */
  readonly parent?: string;
  readonly attempt?: number;
  readonly line?: number;
  readonly key?: string;
  readonly status?: number;
  readonly url?: string;
  readonly path?: string;
  readonly setting?: string;
}

/** What every executable means by its exit status. */
export const EXIT = { complete: 0, failed: 1, incomplete: 2, refused: 3, interrupted: 130, terminated: 143 } as const;

/**
 * A failure with everything a reader needs: `message` says what went wrong in user's words, `hint` what to do about it,
 * `cause` keeps the internal detail for debug logs.
 */
export class ConnectorError extends Error {
  readonly code: ErrorCode;
  readonly where: Where;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, where: Where = {}, more: { hint?: string; cause?: unknown } = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'ConnectorError';
    this.code = code;
    this.where = where;
    this.hint = more.hint;
  }

  /** What and what to do, in one line. */
  get line(): string {
    return this.hint === undefined ? this.message : `${this.message} — ${this.hint}`;
  }
}

/** The text of anything thrown, on one line. */
export function textOf(thrown: unknown): string {
  const text =
    thrown instanceof ConnectorError ? thrown.line : thrown instanceof Error ? thrown.message : String(thrown);
  return text.replace(/\s*\n\s*/g, ' ');
}

/** The `code` of a Node or driver error (`ENOENT`, `SQLITE_BUSY`), if it has one. */
export function systemCode(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}
