/** Update objects: `set`, `setNull`, `add` and `remove`, field by field. */
import type { Stored } from './collection.ts';
import { invalid } from './refusal.ts';
import { type Check, type Fields, isObject, listOf, type MetadataLimits, metadata, text } from './shapes.ts';

/** What an update may do to a field. */
export type PatchRule =
  /** `set`, and `setNull` where the field may be absent. */
  | { readonly kind: 'value'; readonly check: Check; readonly nullable: boolean }
  /** `set`, or `add` and `remove` of keys. */
  | { readonly kind: 'metadata'; readonly limits: MetadataLimits }
  /** `set`, or `add` and `remove` of elements. */
  | { readonly kind: 'list'; readonly element: Check; readonly most: number };

export type PatchRules = Readonly<Record<string, PatchRule>>;

/** A field that can be replaced. */
export function required(check: Check): PatchRule {
  return { kind: 'value', check, nullable: false };
}

/** A field that can be replaced and taken away. */
export function optional(check: Check): PatchRule {
  return { kind: 'value', check, nullable: true };
}

const VERBS: Readonly<Record<PatchRule['kind'], readonly string[]>> = {
  value: ['set', 'setNull'],
  metadata: ['set', 'add', 'remove', 'setNull'],
  list: ['set', 'add', 'remove', 'setNull'],
};

function refuse(where: string, problem: string | undefined): void {
  if (problem !== undefined) throw invalid(`${where}: ${problem}`);
}

function checkVerbs(change: Fields, { kind }: PatchRule, where: string): void {
  const unknown = Object.keys(change).find((verb) => !VERBS[kind].includes(verb));
  if (unknown !== undefined) throw invalid(`${where}.${unknown}: unknown field`);
  if (Object.keys(change).length === 0) throw invalid(`${where}: needs ${VERBS[kind].join(' or ')}`);
  const whole = ['set', 'setNull'].filter((verb) => change[verb] !== undefined);
  if (whole.length > 1 || (whole.length === 1 && (change.add !== undefined || change.remove !== undefined))) {
    throw invalid(`${where}: set cannot be combined with others`);
  }
  if (change.setNull !== undefined && change.setNull !== true) throw invalid(`${where}.setNull: must be true`);
}

function patchedMetadata(before: unknown, change: Fields, limits: MetadataLimits, where: string): unknown {
  if (change.set !== undefined) refuse(where, metadata(limits)(change.set));
  if (change.add !== undefined) refuse(where, metadata(limits)(change.add));
  if (change.remove !== undefined) refuse(where, listOf(text(Infinity), Infinity)(change.remove));
  if (change.set !== undefined) return change.set;
  const pairs = { ...(isObject(before) ? before : {}), ...(change.add as Fields | undefined) };
  for (const key of (change.remove as readonly string[] | undefined) ?? []) delete pairs[key];
  refuse(where, metadata(limits)(pairs));
  return pairs;
}

function patchedList(
  before: unknown,
  change: Fields,
  rule: Extract<PatchRule, { kind: 'list' }>,
  where: string,
): unknown {
  const check = listOf(rule.element, rule.most);
  for (const verb of ['set', 'add', 'remove']) if (change[verb] !== undefined) refuse(where, check(change[verb]));
  if (change.set !== undefined) return change.set;
  const texts = (list: unknown) => (Array.isArray(list) ? list : []).map((element) => JSON.stringify(element));
  const gone = new Set(texts(change.remove));
  const kept = new Set([...texts(before), ...texts(change.add)].filter((element) => !gone.has(element)));
  const after = [...kept].map((element): unknown => JSON.parse(element));
  refuse(where, check(after));
  return after;
}

function patchedValue(before: unknown, change: Fields, rule: PatchRule, where: string): unknown {
  checkVerbs(change, rule, where);
  if (change.setNull !== undefined) {
    if (rule.kind === 'value' && !rule.nullable) throw invalid(`${where}.setNull: cannot be taken away`);
    return undefined;
  }
  if (rule.kind === 'metadata') return patchedMetadata(before, change, rule.limits, where);
  if (rule.kind === 'list') return patchedList(before, change, rule, where);
  if (change.set === undefined) throw invalid(`${where}: needs set`);
  refuse(where, rule.check(change.set));
  return change.set;
}

/** The object after an update. @throws Refusal for fields and verbs that do not exist, and for values over the limits. */
export function patched(before: Stored, update: unknown, rules: PatchRules, where: string): Stored {
  if (!isObject(update)) throw invalid(`${where}: must be an object`);
  const after: Record<string, unknown> = { ...before };
  for (const [field, change] of Object.entries(update)) {
    const rule = Object.hasOwn(rules, field) ? rules[field] : undefined;
    if (!rule) throw invalid(`${where}.${field}: unknown field`);
    if (!isObject(change)) throw invalid(`${where}.${field}: must be an object`);
    const value = patchedValue(before[field], change, rule, `${where}.${field}`);
    if (value === undefined) delete after[field];
    else after[field] = value;
  }
  return after as unknown as Stored;
}
