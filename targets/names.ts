/** Names for tables and columns: how a stream or property is called in SQL, and who yields when two want one name. */
import { createHash } from 'node:crypto';

/** Eight characters that are always the same for the same text. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** A stream's table name before clashes are looked at: letters, digits and underscores only. */
export function tableNameFor(stream: string): string {
  return stream.replace(/[^\p{L}\p{N}_]/gu, '_');
}

/** A property's column name before clashes are looked at: as it is, dots as `__`. */
export function columnNameFor(property: string): string {
  // A lone surrogate and NUL cannot stand in SQL text.
  return property.replaceAll('.', '__').toWellFormed().replaceAll('\0', '_');
}

/** The name, cut at a character so that with `suffix` it has at most `limit` bytes of UTF-8. */
function cut(name: string, suffix: string, limit: number): string {
  let short = name;
  while (Buffer.byteLength(short) + suffix.length > limit) short = [...short].slice(0, -1).join('');
  return `${short}${suffix}`;
}

/** The name if it has at most `limit` bytes, else what fits of it and a hash of `source`, the same in every run. */
export function shortened(name: string, source: string, limit: number): string {
  return Buffer.byteLength(name) <= limit ? name : cut(name, `_${shortHash(source)}`, limit);
}

/**
 * Gives each of `wanted` (source name → plain name) a name that no other has. Names in `known` (from earlier runs) are
 * kept; then a source that is spelled like its plain name goes before one that was changed to it, then by code point,
 * so the outcome does not depend on the order in which they come. The others get a hash of their source name. No name has
 * more than `limit` bytes.
 */
export function assignNames(
  wanted: ReadonlyMap<string, string>,
  known: ReadonlyMap<string, string>,
  taken: Iterable<string>,
  fold: (name: string) => string,
  limit = Number.POSITIVE_INFINITY,
): Map<string, string> {
  const names = new Map<string, string>();
  const used = new Set([...taken, ...known.values()].map(fold));
  for (const source of wanted.keys()) {
    const name = known.get(source);
    if (name !== undefined) names.set(source, name);
  }
  const open = [...wanted].filter(([source]) => !names.has(source));
  open.sort(([a, plainA], [b, plainB]) => Number(b === plainB) - Number(a === plainA) || (a < b ? -1 : 1));
  for (const [source, plain] of open) {
    let name = shortened(plain, source, limit);
    // A clash of hashes is hashed again: names must differ whatever happens.
    for (let salt = ''; used.has(fold(name)); salt += '+') name = cut(plain, `_${shortHash(source + salt)}`, limit);
    used.add(fold(name));
    names.set(source, name);
  }
  return names;
}
