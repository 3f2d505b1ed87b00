import type { ServedList } from './lists.ts';
import type { Listing } from './paging.ts';

/** How the rows of one list differ from what was documented. */
export interface FieldDrift {
  /** Fields that nobody knows, filled with a text. */
  readonly add?: readonly string[];
  /** Documented fields that are no longer sent. */
  readonly drop?: readonly string[];
}

/** Rows whose fields can drift, beside those of the lists. `dcapi_systems` are those of both reports by system. */
const OTHER_ROWS = [
  'systemreport',
  'allpatchdetails',
  'dcapi_systems',
  'patch_system_mapping',
  'system_vulnerabilities',
] as const;

/** The rows inside others are those of DCAPI's reports by system. */
export type Drift = Readonly<Partial<Record<ServedList | (typeof OTHER_ROWS)[number], FieldDrift>>>;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function areNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== '');
}

/** Says what is wrong with a drift that came as JSON; `served` are the lists whose rows it may change. */
export function driftProblem(value: unknown, served: readonly string[]): string | undefined {
  const lists = [...served, ...OTHER_ROWS];
  if (!isObject(value)) return 'drift must be an object like {"scandetails": {"add": ["x"], "drop": ["owner"]}}';
  for (const [list, change] of Object.entries(value)) {
    if (!lists.includes(list)) return `unknown list "${list}" in drift; known lists: ${lists.join(', ')}`;
    const named = isObject(change) && Object.keys(change).every((key) => key === 'add' || key === 'drop');
    if (!named || !Object.values(change).every(areNames)) {
      return `drift.${list} takes "add" and "drop", each a list of field names`;
    }
  }
  return undefined;
}

interface ParseContext {
  readonly source?: string;
}

/** The parts of `JSON` that keep the digits of a number as they were sent. */
const LOSSLESS = JSON as unknown as {
  parse(text: string, reviver: (key: string, value: unknown, context: ParseContext) => unknown): unknown;
  rawJSON(text: string): unknown;
};

function change(fields: Record<string, unknown>, { add = [], drop = [] }: FieldDrift): void {
  for (const name of drop) delete fields[name];
  for (const name of add) fields[name] = `new ${name}`;
}

/**
 * A row as JSON text, without some fields and with others, and so the rows of the list inside it. Ids keep
 * all their digits.
 */
function driftedRow(row: string, own: FieldDrift, inner: FieldDrift, innerKey: string | undefined): string {
  const fields = LOSSLESS.parse(row, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined ? LOSSLESS.rawJSON(source) : value,
  ) as Record<string, unknown>;
  const nested = innerKey === undefined ? undefined : fields[innerKey];
  if (Array.isArray(nested)) for (const each of nested) change(each, inner);
  change(fields, own);
  return JSON.stringify(fields);
}

/** The rows of a list as they have drifted; those of an undrifted list are left as they are. */
export function drifted(rows: readonly string[], drift: Drift, { name, inner }: Listing): readonly string[] {
  const changes = new Map(Object.entries(drift));
  const [own, within] = [changes.get(name), inner && changes.get(inner.name)];
  if (!own && !within) return rows;
  return rows.map((row) => driftedRow(row, own ?? {}, within ?? {}, inner?.key));
}
