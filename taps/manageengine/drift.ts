/** Compares what a server sends with what a stream declares. A vendor adds and drops fields without a word. */
import type { Json } from '../../singer/lossless.ts';
import type { JsonSchema } from '../../singer/messages.ts';
import type { Run } from '../../singer/stream.ts';

/** Fields by which rows differ from a declaration. */
export interface Drift {
  /** Sent by the server, neither declared nor listed as left out on purpose (`x-left-out`). */
  readonly unknown: readonly string[];
  /** Declared, and in none of the rows. */
  readonly missing: readonly string[];
}

/** What `rows` have beside the fields that `schema` reads, and lack of them. Pure. */
export function driftOf(schema: JsonSchema, rows: readonly { readonly [key: string]: Json }[]): Drift {
  const sent = new Set(rows.flatMap((row) => Object.keys(row)));
  const known = new Set((schema['x-left-out'] as readonly string[] | undefined) ?? []);
  const missing: string[] = [];
  for (const [name, node] of Object.entries(schema.properties ?? {})) {
    if (OURS.has(name)) continue;
    const sources = (node['x-source'] as readonly string[] | undefined) ?? [name];
    // The whole row is the source: nothing in it is unknown.
    if (sources.includes('')) return { unknown: [], missing: [] };
    // A dotted name is one key, or a way into an object.
    const heads = sources.flatMap((source) => [source, source.split('.')[0] ?? source]);
    for (const head of heads) known.add(head);
    if (node['x-optional'] !== true && !heads.some((head) => sent.has(head))) missing.push(name);
  }
  return { unknown: [...sent].filter((key) => !known.has(key)), missing };
}

/** Filled by the tap, not by the server. */
const OURS = new Set(['snapshot_id', 'extracted_at']);

/** One `schema_drift` warning for each field that is new or gone. */
export function tellDrift(
  stream: string,
  schema: JsonSchema,
  rows: readonly { readonly [key: string]: Json }[],
  run: Pick<Run, 'log'>,
): void {
  const { unknown, missing } = driftOf(schema, rows);
  for (const field of unknown) {
    const text = `${stream}: the server sends "${field}", which this stream does not have; it is not stored`;
    run.log.warn('schema_drift', text, { stream, field, drift: 'unknown' });
  }
  for (const field of missing) {
    const text = `${stream}: the server does not send "${field}"; the column stays empty`;
    run.log.warn('schema_drift', text, { stream, field, drift: 'missing' });
  }
}
