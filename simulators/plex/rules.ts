/** Fault rules as JSON: with globs for paths and lists of occasions, beside what every fault engine takes. */
import { type FaultVocabulary, parseRule } from '../faults.ts';
import type { Action, Rule } from './actions.ts';

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A glob becomes a regular expression: `**` is anything, `*` anything within a segment. Others stay as they are. */
function pathOf(path: string): string {
  if (!/^\/[\w\-./*]*$/.test(path) || !path.includes('*') || path.includes('.*')) return path;
  const parts = path.split('**').map((part) => part.replaceAll('.', '\\.').replaceAll('*', '[^/]*'));
  return `^${parts.join('.*')}$`;
}

function numberOf(action: unknown, name: string, from: number, required: boolean): void {
  const value = isObject(action) ? action[name] : undefined;
  if (value === undefined && !required) return;
  if (typeof value !== 'number' || value < from) throw new Error(`action needs ${name}, a number from ${from}`);
}

function oneOf(action: unknown, name: string, known: readonly string[]): void {
  const value = isObject(action) ? action[name] : undefined;
  if (value !== undefined && !known.includes(String(value))) throw new Error(`${name} is one of ${known.join(', ')}`);
}

function checkAction(action: unknown): void {
  const type = isObject(action) ? action.type : action;
  numberOf(action, 'status', 100, type === 'status');
  numberOf(action, 'ms', 0, type === 'delay');
  numberOf(action, 'calls', 0, type === 'keyExpires');
  numberOf(action, 'rows', 0, type === 'rowLimit');
  for (const name of ['bytes', 'after_bytes']) numberOf(action, name, 1, false);
  numberOf(action, 'seconds', 0, false);
  oneOf(action, 'body', ['json', 'html', 'empty']);
  oneOf(action, 'retry_after', ['seconds', 'date']);
  oneOf(action, 'kind', ['object', 'data', 'missing', 'extra']);
  const shape = isObject(action) && type === 'wrongShape' ? action : {};
  if (['missing', 'extra'].includes(String(shape.kind)) && typeof shape.field !== 'string') {
    throw new Error(`wrongShape ${String(shape.kind)} needs a field`);
  }
}

/** Whether a list of occasions was given, and in order. */
function occasions(match: unknown): readonly number[] | undefined {
  const nth = isObject(match) ? match.nth : undefined;
  if (!Array.isArray(nth)) return undefined;
  if (nth.length === 0 || nth.some((each) => !Number.isInteger(each) || each < 1)) {
    throw new Error('match.nth is a whole number from 1, or a list of them');
  }
  return [...new Set(nth as number[])].sort((a, b) => a - b);
}

/**
 * Reads a rule. `match.nth` may be a list: then the rule fires at just these requests, `times` of them at most, and
 * becomes one rule for each.
 * @throws Error that says what is wrong and lists what is known.
 */
export function rulesFrom(value: unknown, vocabulary: FaultVocabulary<Action>): readonly Rule[] {
  if (!isObject(value)) throw new Error('a fault rule must be an object');
  const { match, times, id } = value;
  const path = isObject(match) && typeof match.path === 'string' ? { path: pathOf(match.path) } : {};
  const nths = occasions(match);
  const matched = isObject(match) ? { match: { ...match, ...path } } : {};
  if (!nths) {
    const rule = parseRule({ ...value, ...matched }, vocabulary);
    checkAction(value.action);
    return [rule];
  }
  const most = typeof times === 'number' ? times : nths.length;
  const named = typeof id === 'string' ? id : undefined;
  return nths.slice(0, most).map((nth) => {
    const own = named === undefined ? {} : { id: nth === nths[0] ? named : `${named}-${nth}` };
    const rule = parseRule({ ...value, match: { ...matched.match, nth }, times: 1, ...own }, vocabulary);
    checkAction(value.action);
    return rule;
  });
}
