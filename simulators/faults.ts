/**
 * Scripted failures. A rule says which requests it means and what happens to them; the engine only
 * decides, the server carries out. Actions belong to the simulated vendor, so they come from outside.
 */
import { fraction } from './draw.ts';

/** Which requests a rule means. All given conditions must hold; an empty match means every request. */
export interface FaultMatch {
  /** Regular expression on the path; the action's own default when absent. */
  readonly path?: string;
  /** Parameters of the request that must have these values. */
  readonly query?: Readonly<Record<string, string>>;
  /** First and last page, both included. */
  readonly pages?: readonly [number, number];
  /** Fires from the n-th request that satisfies path and pages, counted per rule from 1. */
  readonly nth?: number;
  /** From 0 to 1, decided by (seed, rule, subject, page, attempt): a later attempt draws anew. */
  readonly probability?: number;
  /** Only the first n attempts at each page of each subject. */
  readonly attempts?: number;
  /** Virtual milliseconds after its first firing during which the rule stays alive. */
  readonly for_ms?: number;
}

export interface FaultRule<Action> {
  /** Names the rule in the request log; also part of the probabilistic draw. */
  readonly id?: string;
  readonly match?: FaultMatch;
  /** Firings before the rule is spent; for ever when absent, but once when `match.nth` is given. */
  readonly times?: number;
  readonly action: Action;
}

/** What the engine looks at. */
export interface FaultRequest {
  readonly path: string;
  readonly query?: URLSearchParams;
  /** What the page is a page of, where one path has several lists; the path when absent. */
  readonly subject?: string;
  readonly page: number;
  /** How often this page of the subject was asked for, this time included. */
  readonly attempt: number;
  /** Virtual epoch milliseconds. */
  readonly now: number;
}

/** A spell answers every later request in its scope by itself, until it ends. */
export interface Spell {
  /** Regular expression on the path. */
  readonly scope: string;
  /** Virtual epoch milliseconds. */
  readonly until?: number;
  readonly calls?: number;
  /** Each request inside moves the end to this many milliseconds from now. */
  readonly extend_ms?: number;
}

/** What an action of a vendor is like. */
export interface FaultTraits<Action> {
  readonly path: string;
  /** Alters a served answer instead of replacing it; several may apply to one request. */
  readonly alters: boolean;
  /** Names of the action's parameters, beside `type`. */
  readonly parameters: readonly string[];
  /** A condition beyond the match, such as a quota. */
  readonly holds?: (action: Action, request: FaultRequest) => boolean;
  /** Present when firing changes later requests too. */
  readonly spell?: (action: Action, now: number) => Spell | undefined;
}

export type FaultVocabulary<Action extends { readonly type: string }> = Readonly<
  Record<Action['type'], FaultTraits<Action>>
>;

/** A rule as it stands. */
export interface RuleState<Action> {
  readonly id: string;
  readonly rule: FaultRule<Action>;
  readonly seen: number;
  readonly fired: number;
}

interface LiveRule<Action> {
  readonly id: string;
  readonly rule: FaultRule<Action>;
  readonly traits: FaultTraits<Action>;
  readonly path: RegExp;
  seen: number;
  fired: number;
  firstFired: number | undefined;
}

interface LiveSpell<Action> {
  readonly id: string;
  readonly action: Action;
  readonly scope: RegExp;
  readonly extendMs: number | undefined;
  until: number | undefined;
  calls: number | undefined;
}

/** The decision about one request. */
export interface Decision<Action> {
  /** Takes the answer's place. */
  readonly instead?: { readonly id: string; readonly action: Action };
  /** Applied to the answer, in rule order; empty when the answer is replaced. */
  readonly alterations: readonly { readonly id: string; readonly action: Action }[];
}

export class FaultEngine<Action extends { readonly type: string }> {
  readonly #seed: number;
  readonly #vocabulary: FaultVocabulary<Action>;
  #rules: LiveRule<Action>[] = [];
  #spells: LiveSpell<Action>[] = [];
  #named = 0;

  constructor(seed: number, vocabulary: FaultVocabulary<Action>) {
    this.#seed = seed;
    this.#vocabulary = vocabulary;
  }

  /** Adds a rule after the others; among replacing rules the first that fires wins. Returns its id. */
  add(rule: FaultRule<Action>): string {
    this.#named += 1;
    const id = rule.id ?? `rule-${this.#named}`;
    if (this.#rules.some((known) => known.id === id)) throw new Error(`fault rule "${id}" exists already`);
    const traits = this.#vocabulary[rule.action.type as Action['type']];
    if (!traits) throw new Error(unknownAction(rule.action.type, this.#vocabulary));
    const path = new RegExp(rule.match?.path ?? traits.path);
    this.#rules.push({ id, rule, traits, path, seen: 0, fired: 0, firstFired: undefined });
    return id;
  }

  /** Removes one rule with the spell it cast, or all of them. Returns how many rules went. */
  remove(id?: string): number {
    const before = this.#rules.length;
    this.#rules = id === undefined ? [] : this.#rules.filter((rule) => rule.id !== id);
    this.#spells = id === undefined ? [] : this.#spells.filter((spell) => spell.id !== id);
    return before - this.#rules.length;
  }

  get rules(): readonly RuleState<Action>[] {
    return this.#rules.map(({ id, rule, seen, fired }) => ({ id, rule, seen, fired }));
  }

  decide(request: FaultRequest): Decision<Action> {
    // Every rule counts what it sees, whoever answers in the end: `nth` must not depend on other rules.
    const meant = this.#rules.filter((rule) => sees(rule, request));
    const spell = this.#spellOver(request);
    if (spell) return { instead: spell, alterations: [] };
    for (const rule of meant) {
      if (rule.traits.alters || !this.#fires(rule, request)) continue;
      this.#cast(rule, request.now);
      return { instead: { id: rule.id, action: rule.rule.action }, alterations: [] };
    }
    const altering = meant.filter((rule) => rule.traits.alters && this.#fires(rule, request));
    return { alterations: altering.map((rule) => ({ id: rule.id, action: rule.rule.action })) };
  }

  #fires(rule: LiveRule<Action>, request: FaultRequest): boolean {
    const { match, times, action } = rule.rule;
    if (rule.fired >= (times ?? (match?.nth === undefined ? Infinity : 1))) return false;
    if (match?.nth !== undefined && rule.seen < match.nth) return false;
    if (match?.attempts !== undefined && request.attempt > match.attempts) return false;
    const { firstFired } = rule;
    if (match?.for_ms !== undefined && firstFired !== undefined && request.now >= firstFired + match.for_ms)
      return false;
    if (match?.probability !== undefined) {
      const { path, subject = path, page, attempt } = request;
      const drawn = fraction(this.#seed, 'fault', rule.id, subject, page, attempt);
      if (drawn >= match.probability) return false;
    }
    if (rule.traits.holds && !rule.traits.holds(action, request)) return false;
    rule.fired += 1;
    rule.firstFired ??= request.now;
    return true;
  }

  #cast(rule: LiveRule<Action>, now: number): void {
    const spell = rule.traits.spell?.(rule.rule.action, now);
    if (!spell) return;
    this.#spells.push({
      id: rule.id,
      action: rule.rule.action,
      scope: new RegExp(spell.scope),
      extendMs: spell.extend_ms,
      until: spell.until,
      calls: spell.calls,
    });
  }

  #spellOver(request: FaultRequest): { id: string; action: Action } | undefined {
    this.#spells = this.#spells.filter(
      (spell) => (spell.until === undefined || request.now < spell.until) && (spell.calls ?? 1) > 0,
    );
    const spell = this.#spells.find((live) => live.scope.test(request.path));
    if (!spell) return undefined;
    if (spell.calls !== undefined) spell.calls -= 1;
    if (spell.extendMs !== undefined) spell.until = request.now + spell.extendMs;
    return { id: spell.id, action: spell.action };
  }
}

function sees<Action>(rule: LiveRule<Action>, request: FaultRequest): boolean {
  const pages = rule.rule.match?.pages;
  if (!rule.path.test(request.path)) return false;
  const query = Object.entries(rule.rule.match?.query ?? {});
  if (query.some(([name, value]) => request.query?.get(name) !== value)) return false;
  if (pages && (request.page < pages[0] || request.page > pages[1])) return false;
  rule.seen += 1;
  return true;
}

function unknownAction(type: unknown, vocabulary: object): string {
  return `unknown fault action "${String(type)}"; known actions: ${Object.keys(vocabulary).join(', ')}`;
}

const RULE_KEYS = ['id', 'match', 'times', 'action'];
const MATCH_KEYS = ['path', 'query', 'pages', 'nth', 'probability', 'attempts', 'for_ms'];

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuseUnknown(value: Readonly<Record<string, unknown>>, known: readonly string[], where: string): void {
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) throw new Error(`unknown key "${key}" in ${where}; known keys: ${known.join(', ')}`);
  }
}

function checkMatch(match: unknown): void {
  if (match === undefined) return;
  if (!isObject(match)) throw new Error('match must be an object');
  refuseUnknown(match, MATCH_KEYS, 'match');
  const { path, query, pages, ...numbers } = match;
  if (query !== undefined && !(isObject(query) && Object.values(query).every((value) => typeof value === 'string'))) {
    throw new Error('match.query must be an object of strings');
  }
  if (path !== undefined && typeof path !== 'string') throw new Error('match.path must be a string');
  const range = Array.isArray(pages) && pages.length === 2 && pages.every((page) => Number.isInteger(page));
  if (pages !== undefined && !range) throw new Error('match.pages must be [first, last]');
  for (const [key, value] of Object.entries(numbers)) {
    if (typeof value !== 'number') throw new Error(`match.${key} must be a number`);
  }
}

/**
 * Reads a rule that came as JSON; the action may be a bare name.
 * @throws Error that says what is wrong and lists what is known.
 */
export function parseRule<Action extends { readonly type: string }>(
  value: unknown,
  vocabulary: FaultVocabulary<Action>,
): FaultRule<Action> {
  if (!isObject(value)) throw new Error('a fault rule must be an object');
  refuseUnknown(value, RULE_KEYS, 'the rule');
  if (value.id !== undefined && typeof value.id !== 'string') throw new Error('id must be a string');
  if (value.times !== undefined && typeof value.times !== 'number') throw new Error('times must be a number');
  checkMatch(value.match);
  const given = value.action;
  const action = typeof given === 'string' ? { type: given } : given;
  const type = isObject(action) ? action.type : undefined;
  if (!isObject(action) || typeof type !== 'string' || !Object.hasOwn(vocabulary, type)) {
    throw new Error(unknownAction(type, vocabulary));
  }
  const traits = vocabulary[type as Action['type']];
  refuseUnknown(action, ['type', ...traits.parameters], `action ${type}`);
  return { ...value, action } as unknown as FaultRule<Action>;
}
