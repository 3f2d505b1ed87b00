/** The dead letter: what could not be passed on, where it stood and why, in a stream and, if wanted, in a file. */
import { createHash } from 'node:crypto';
import { closeSync, constants, fsyncSync, openSync, writeSync } from 'node:fs';
import type { Reason } from '../../profiles/classes.ts';
import { FINDING_CLASSES } from '../../profiles/finding-classes.ts';
import type { SqliteValue } from '../../profiles/grammar.ts';
import { ConnectorError, textOf } from '../../singer/errors.ts';
import type { Json, Row } from '../../singer/lossless.ts';
import { plainJson } from './values.ts';

/** One thing that was set aside. */
export interface Reject {
  readonly stream: string;
  readonly table: string;
  /** Of a table with row numbers. */
  readonly rowid: bigint | undefined;
  readonly key: { readonly [column: string]: SqliteValue };
  /** Place among all rows of the reading, from 1: names a row that has no number. */
  readonly ordinal: number;
  readonly scope: 'row' | 'value';
  readonly column: string;
  readonly reason: Reason;
  readonly rule: string;
  readonly value: SqliteValue;
  /** The bytes of a text, which the driver may not have read as they are. */
  readonly bytes: Uint8Array | undefined;
  readonly record: { readonly [column: string]: SqliteValue } | undefined;
}

const KEY_REASONS: ReadonlySet<Reason> = new Set(['null_key', 'bad_key']);

/** Collects rejects until they are sent, and appends them to the file before. */
export class DeadLetter {
  readonly #runId: string;
  readonly #at: string;
  readonly #raw: boolean;
  readonly #path: string | undefined;
  #file: number | undefined;
  #pending: Row[] = [];

  /** `version` is that of the reading, in milliseconds. @throws ConnectorError `destination` for a file that cannot be opened. */
  constructor(version: number, raw: boolean, path: string | undefined) {
    this.#runId = String(version);
    this.#at = new Date(version).toISOString();
    this.#raw = raw;
    this.#path = path;
    if (path === undefined) return;
    try {
      this.#file = openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o600);
    } catch (cause) {
      throw this.#failure(cause);
    }
  }

  add(reject: Reject): void {
    const { stream, table, rowid, key, ordinal, scope, column, reason, rule, value, record } = reject;
    const bytes = reject.bytes ?? bytesOf(value);
    const stored = Object.fromEntries(Object.entries(key).map(([name, part]) => [name, plainJson(part)]));
    const place = rowid === undefined ? `#${ordinal}` : String(rowid);
    this.#pending.push({
      reject_id: [this.#runId, stream, place, ...(scope === 'value' ? [column] : [])].join('/'),
      run_id: this.#runId,
      gate: 'tap',
      stream,
      table,
      rowid: rowid === undefined ? null : plainJson(rowid),
      key: Object.keys(stored).length === 0 ? null : stored,
      scope,
      column,
      reason,
      rule,
      severity: severityOf(reason),
      storage_class: storageOf(value),
      raw_sha256: bytes === undefined ? null : createHash('sha256').update(bytes).digest('hex'),
      raw_len: bytes?.length ?? null,
      raw_b64: bytes === undefined || !this.#raw ? null : Buffer.from(bytes).toString('base64'),
      record:
        record === undefined || !this.#raw
          ? null
          : Object.fromEntries(Object.entries(record).map(([name, part]) => [name, plainJson(part)])),
      at: this.#at,
    });
  }

  /** What came since it was last taken; it stands in the file, if there is one. */
  take(): readonly Row[] {
    const taken = this.#pending;
    if (taken.length === 0) return taken;
    this.#pending = [];
    if (this.#file !== undefined) {
      try {
        writeSync(this.#file, taken.map((row) => `${JSON.stringify(row)}\n`).join(''));
      } catch (cause) {
        throw this.#failure(cause);
      }
    }
    return taken;
  }

  /** Makes the file durable: called before a state that covers it. */
  sync(): void {
    if (this.#file === undefined) return;
    try {
      fsyncSync(this.#file);
    } catch (cause) {
      throw this.#failure(cause);
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #failure(cause: unknown): ConnectorError {
    return new ConnectorError(
      'destination',
      `cannot write rejects to ${this.#path}: ${textOf(cause)}`,
      { setting: 'rejects_path' },
      { cause, hint: 'name a file in a folder that exists and that this user may write to' },
    );
  }
}

function severityOf(reason: Reason): string {
  if (KEY_REASONS.has(reason)) return 'CRITICAL';
  return Object.hasOwn(FINDING_CLASSES, reason)
    ? FINDING_CLASSES[reason as keyof typeof FINDING_CLASSES].severity
    : 'HIGH';
}

function storageOf(value: SqliteValue): Json {
  if (value === null) return 'null';
  if (value instanceof Uint8Array) return 'blob';
  if (typeof value === 'string') return 'text';
  return typeof value === 'bigint' ? 'integer' : 'real';
}

function bytesOf(value: SqliteValue): Uint8Array | undefined {
  if (value === null) return undefined;
  return value instanceof Uint8Array ? value : Buffer.from(String(value));
}
