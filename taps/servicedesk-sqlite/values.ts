/** Stored values as JSON, as they are. */
import type { SqliteValue } from '../../profiles/grammar.ts';
import type { Json } from '../../singer/lossless.ts';

/** Numbers keep all digits; bytes become `{"base64": …}`, which no other value looks like. */
export function plainJson(value: SqliteValue): Json {
  if (value === null || typeof value === 'string') return value;
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') };
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  const double = Number(value);
  return Number.isSafeInteger(double) ? double : JSON.rawJSON(String(value));
}
