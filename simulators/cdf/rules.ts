/** Fault rules as JSON: with methods, items, globs and lists of occasions, beside what every fault engine takes. */
import { type FaultEngine, parseRule } from '../faults.ts';
import { type Action, type Rule, VOCABULARY } from './actions.ts';
import { isObject } from './shapes.ts';

/** A condition of the engine on facts about a request: this one is its method. */
const METHOD = 'method';
/** Begins the fact that an item of the request has an external id that fits the expression after it. */
const ITEM = 'item ';
const TRUE = 'yes';

/** A glob becomes a regular expression: `**` is anything, `*` anything within a segment. Others stay as they are. */
function pathOf(path: string): string {
  if (!/^\/[\w\-./*]*$/.test(path) || !path.includes('*') || path.includes('.*')) return path;
  const parts = path.split('**').map((part) => part.replaceAll('.', '\\.').replaceAll('*', '[^/]*'));
  return `^${parts.join('.*')}$`;
}

/** Facts about a request that the rules of an engine ask for, beside its own parameters. */
export function factsFor(
  engine: FaultEngine<Action>,
  request: { readonly method: string; readonly query: URLSearchParams; readonly names: readonly string[] },
): URLSearchParams {
  const facts = new URLSearchParams(request.query);
  facts.set(METHOD, request.method);
  for (const { rule } of engine.rules) {
    for (const fact of Object.keys(rule.match?.query ?? {})) {
      if (!fact.startsWith(ITEM)) continue;
      const pattern = new RegExp(fact.slice(ITEM.length));
      if (request.names.some((name) => pattern.test(name))) facts.set(fact, TRUE);
    }
  }
  return facts;
}

function textOf(match: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = match[name];
  if (value !== undefined && typeof value !== 'string') throw new Error(`match.${name} must be a string`);
  return value;
}

/** The conditions of a rule in the words of the engine. */
function conditions(match: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { method: _method, item: _item, ...others } = match;
  const [path, method, item] = [textOf(match, 'path'), textOf(match, 'method'), textOf(match, 'item')];
  if (item !== undefined) new RegExp(item);
  const query = {
    ...(isObject(match.query) ? match.query : {}),
    ...(method !== undefined && { [METHOD]: method.toUpperCase() }),
    ...(item !== undefined && { [`${ITEM}${item}`]: TRUE }),
  };
  return {
    ...others,
    ...(path !== undefined && { path: pathOf(path) }),
    ...(Object.keys(query).length > 0 && { query }),
  };
}

function numberOf(action: Readonly<Record<string, unknown>>, name: string, from: number, required: boolean): void {
  const value = action[name];
  if (value === undefined && !required) return;
  if (typeof value !== 'number' || value < from) throw new Error(`action needs ${name}, a number from ${from}`);
}

function oneOf(action: Readonly<Record<string, unknown>>, name: string, known: readonly unknown[]): void {
  const value = action[name];
  if (value !== undefined && !known.includes(value)) throw new Error(`${name} is one of ${known.join(', ')}`);
}

function checkAction(given: unknown): void {
  const action = isObject(given) ? given : { type: given };
  numberOf(action, 'status', 100, action.type === 'status');
  numberOf(action, 'ms', 0, action.type === 'delay');
  numberOf(action, 'after_bytes', 1, false);
  numberOf(action, 'keep', 0, false);
  numberOf(action, 'seconds', 0, false);
  oneOf(action, 'body', ['json', 'html', 'empty']);
  oneOf(action, 'retry_after', ['seconds', 'date']);
  for (const name of ['stored', 'reset']) oneOf(action, name, [true, false]);
  const names = [action.external_id, action.prefix].filter((name) => typeof name === 'string' && name !== '');
  if (action.type === 'vanish' && names.length !== 1) throw new Error('vanish needs external_id or prefix');
}

/** Whether a list of occasions was given, and in order. */
function occasions(nth: unknown): readonly number[] | undefined {
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
export function rulesFrom(value: unknown): readonly Rule[] {
  if (!isObject(value)) throw new Error('a fault rule must be an object');
  const { match, times, id } = value;
  if (match !== undefined && !isObject(match)) throw new Error('match must be an object');
  const own = conditions(match ?? {});
  const nths = occasions(own.nth);
  checkAction(value.action);
  if (!nths) return [parseRule({ ...value, match: own }, VOCABULARY)];
  const most = typeof times === 'number' ? times : nths.length;
  return nths.slice(0, most).map((nth) => {
    const name = typeof id !== 'string' ? {} : { id: nth === nths[0] ? id : `${id}-${nth}` };
    return parseRule({ ...value, match: { ...own, nth }, times: 1, ...name }, VOCABULARY);
  });
}
