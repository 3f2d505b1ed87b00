import type { ServedList } from './lists.ts';
import type { ViewName } from './pairs.ts';

/** How the rows of one list differ from what was documented. */
export interface FieldDrift {
  /** Fields that nobody knows, filled with a text. */
  readonly add?: readonly string[];
  /** Documented fields that are no longer sent. */
  readonly drop?: readonly string[];
}

export type Drift = Readonly<Partial<Record<ServedList | ViewName, FieldDrift>>>;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function areNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== '');
}

/** Says what is wrong with a drift that came as JSON; `lists` are the names it may use. */
export function driftProblem(value: unknown, lists: readonly string[]): string | undefined {
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

/** A row as JSON text, without some fields and with others. Ids keep all their digits. */
export function drifted(row: string, { add = [], drop = [] }: FieldDrift): string {
  const fields = LOSSLESS.parse(row, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined ? LOSSLESS.rawJSON(source) : value,
  ) as Record<string, unknown>;
  for (const name of drop) delete fields[name];
  for (const name of add) fields[name] = `new ${name}`;
  return JSON.stringify(fields);
}
