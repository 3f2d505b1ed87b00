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

/**
 * Gives each of `wanted` (source name → plain name) a name that no other has. Names in `known` (from earlier runs) are
 * kept; then a source that is spelled like its plain name goes before one that was changed to it, then by code point,
 * so the outcome does not depend on the order in which they come. The others get a hash of their source name.
 */
export function assignNames(
  wanted: ReadonlyMap<string, string>,
  known: ReadonlyMap<string, string>,
  taken: Iterable<string>,
  fold: (name: string) => string,
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
    let name = plain;
    // A clash of hashes is hashed again: names must differ whatever happens.
    for (let salt = ''; used.has(fold(name)); salt += '+') name = `${plain}_${shortHash(source + salt)}`;
    used.add(fold(name));
    names.set(source, name);
  }
  return names;
}
