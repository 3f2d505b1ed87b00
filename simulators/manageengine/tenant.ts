import { hash } from '../draw.ts';
import { FaultEngine, parseRule, type RuleState } from '../faults.ts';
import { type LoggedRequest, RequestLog } from '../request-log.ts';
import { type Action, type Rule, type Traffic, vocabularyFor } from './actions.ts';
import { type Customer, settle } from './customers.ts';
import { type Flavour, unavailable } from './flavours.ts';
import type { ListName } from './lists.ts';
import { type Account, accountOf, LoginOffice } from './login.ts';
import { type Manifest, type ManifestOptions, manifestOf } from './manifest.ts';
import { type Credentials, TokenOffice } from './oauth.ts';
import type { Population } from './population.ts';
import { profileOf, scenarioFor } from './scenarios.ts';
import { changedSettings, DEFAULT_SETTINGS, type Settings } from './settings.ts';

const DAY = 86_400_000;
const API = /^\/(api|dcapi)\//;

/** Settings that the data depend on. */
const DATA_SETTINGS = ['id_mode', 'type_mode', 'customers', 'dcapi_rows', 'dcapi_heavy_page', 'dcapi_ids'] as const;

export interface TenantOptions {
  /** Names the tenant, whatever its flavour. */
  readonly client_id: string;
  readonly client_secret?: string;
  readonly refresh_token?: string;
  /** The key of an on-premises or MSP server. */
  readonly api_token?: string;
  /** `cloud` unless the scenario says otherwise. */
  readonly flavour?: Flavour;
  readonly profile?: string;
  readonly seed?: number;
  readonly scenario?: string;
}

function keyOf(seed: number, clientId: string): string {
  const parts = [0, 1, 2, 3].map((part) => hash(seed, clientId, 'api', part).toString(16).padStart(8, '0'));
  return parts.join('-').toUpperCase();
}

/** One tenant of the simulated vendor: own data, tokens, faults, clock and request log. */
export class Tenant {
  readonly credentials: Credentials;
  readonly flavour: Flavour;
  readonly profile: string;
  readonly seed: number;
  readonly scenario: string;
  /** Who may log in; means nothing in the cloud. */
  readonly account: Account;
  /** Undefined in the cloud. */
  readonly apiToken: string | undefined;
  /** The server's address, for `config`. */
  readonly #url: string;
  readonly #now: () => number;
  #advanced = 0;
  #settings: Settings;
  #customers: readonly [Customer, ...Customer[]];
  #faults: FaultEngine<Action>;
  #tokens: TokenOffice;
  #logins: LoginOffice;
  #log = new RequestLog();
  #attempts = new Map<string, number>();

  /** @throws Error for an unknown profile or scenario. */
  constructor(options: TenantOptions, url: string, now: () => number) {
    this.credentials = {
      client_id: options.client_id,
      client_secret: options.client_secret ?? `${options.client_id}-secret`,
      refresh_token: options.refresh_token ?? `1000.${options.client_id}-refresh`,
    };
    this.scenario = options.scenario ?? 'happy';
    this.profile = options.profile ?? profileOf(this.scenario);
    this.seed = options.seed ?? 1;
    this.flavour = options.flavour ?? scenarioFor(this.scenario, this.profile).flavour ?? 'cloud';
    this.account = accountOf(options.client_id);
    this.apiToken = this.flavour === 'cloud' ? undefined : (options.api_token ?? keyOf(this.seed, options.client_id));
    this.#url = url;
    this.#now = now;
    this.#settings = this.#firstSettings();
    this.#customers = this.#settle();
    this.#tokens = new TokenOffice(this.seed, this.credentials, this.apiToken);
    this.#logins = new LoginOffice(this.seed, this.account, this.#tokens);
    this.#faults = this.#firstFaults();
  }

  /** Settings that a tap can use as they are. */
  get config(): Readonly<Record<string, unknown>> {
    const base_url = this.#url;
    if (this.flavour === 'cloud') return { base_url, accounts_url: this.#url, ...this.credentials };
    const [first] = this.#customers;
    return { base_url, api_token: this.apiToken, ...(this.flavour === 'msp' ? { customer_name: first.name } : {}) };
  }

  /** Virtual epoch milliseconds. */
  get now(): number {
    return this.#now() + this.#advanced;
  }

  advance(milliseconds: number): void {
    this.#advanced += milliseconds;
  }

  get settings(): Settings {
    return this.#settings;
  }

  /** Changes settings. Those that decide about the data start from a fresh data set without earlier departures. */
  configure(change: unknown): Settings {
    const before = this.#settings;
    this.#settings = changedSettings(before, change);
    if (DATA_SETTINGS.some((name) => this.#settings[name] !== before[name])) this.#customers = this.#settle();
    return this.#settings;
  }

  /** At least one; several on an MSP server. */
  get customers(): readonly [Customer, ...Customer[]] {
    return this.#customers;
  }

  /** The customer of this name, the first one without a name. @throws Error that lists the names. */
  customer(name?: string): Customer {
    const found = name === undefined ? this.#customers[0] : this.#customers.find((customer) => customer.name === name);
    if (found) return found;
    const names = this.#customers.map((customer) => customer.name);
    throw new Error(`unknown customer "${name}"; known customers: ${names.join(', ')}`);
  }

  /** The data of the first customer. */
  get population(): Population {
    return this.#customers[0].population;
  }

  get tokens(): TokenOffice {
    return this.#tokens;
  }

  get logins(): LoginOffice {
    return this.#logins;
  }

  get faults(): readonly RuleState<Action>[] {
    return this.#faults.rules;
  }

  get engine(): FaultEngine<Action> {
    return this.#faults;
  }

  /** Adds a rule, returns its id. */
  addFault(rule: Rule): string {
    return this.#faults.add(rule);
  }

  /** Adds a rule that came as JSON. @throws Error that says what is wrong with it. */
  addFaultJson(value: unknown): string {
    return this.#faults.add(parseRule(value, vocabularyFor(this.#traffic)));
  }

  /** Removes one rule, or all. Returns how many. */
  removeFaults(id?: string): number {
    return this.#faults.remove(id);
  }

  get requests(): readonly LoggedRequest[] {
    return this.#log.entries;
  }

  get log(): RequestLog {
    return this.#log;
  }

  /** Counts and returns the attempt at this page of a subject, from 1. */
  attempt(subject: string, page: number): number {
    const key = `${subject} ${page}`;
    const attempt = (this.#attempts.get(key) ?? 0) + 1;
    this.#attempts.set(key, attempt);
    return attempt;
  }

  /** Members vanish at once, as after `shrinkTotal`; of the first customer unless one is named. */
  shrink(list: ListName, count: number, customer?: string): void {
    this.customer(customer).population.shrink(list, count);
  }

  /** Pairs of system and patch vanish at once while both stay; of the first customer unless one is named. */
  shrinkPairs(count: number, customer?: string): void {
    this.customer(customer).pairs.shrink(count);
  }

  /** Members join at once, as after `growTotal`; at the first customer unless one is named. */
  grow(list: ListName, count: number, at: 'start' | 'end' = 'end', customer?: string): void {
    this.customer(customer).population.grow(list, count, at);
  }

  /** The present truth, for comparison with what a tap brought. @throws Error for an unknown customer. */
  manifest(options: ManifestOptions = {}): Manifest {
    const serves = (path: string): boolean => unavailable(this.flavour, path, this.#settings) === undefined;
    return manifestOf(this.customer(options.customer), serves, options);
  }

  /** Back to the start of the scenario: data, faults, settings, tokens, clock, log. */
  reset(): void {
    this.#settings = this.#firstSettings();
    this.#advanced = 0;
    this.#customers = this.#settle();
    this.#tokens = new TokenOffice(this.seed, this.credentials, this.apiToken);
    this.#logins = new LoginOffice(this.seed, this.account, this.#tokens);
    this.#log = new RequestLog();
    this.#attempts = new Map();
    this.#faults = this.#firstFaults();
  }

  /** What `/__sim/state` shows. */
  state(): Readonly<Record<string, unknown>> {
    return {
      tenant: this.credentials.client_id,
      flavour: this.flavour,
      profile: this.profile,
      seed: this.seed,
      scenario: this.scenario,
      now: this.now,
      advanced_ms: this.#advanced,
      requests: this.#log.entries.length,
      tokens: { ...this.#tokens.counts, live: this.#tokens.live(this.now).length },
      totals: Object.fromEntries(Object.entries(this.manifest().streams).map(([name, { rows }]) => [name, rows])),
      faults: this.faults,
    };
  }

  #firstSettings(): Settings {
    const ids = this.flavour === 'cloud' ? {} : ({ id_mode: 'onprem' } as const);
    return { ...DEFAULT_SETTINGS, ...ids, ...scenarioFor(this.scenario, this.profile).settings };
  }

  #settle(): readonly [Customer, ...Customer[]] {
    const { seed, profile, flavour } = this;
    const { customers, id_mode, type_mode, dcapi_rows, dcapi_ids, dcapi_heavy_page } = this.#settings;
    const estate = {
      seed,
      profile,
      idMode: id_mode,
      typeMode: type_mode,
      rowMode: dcapi_rows,
      threatIds: dcapi_ids,
      heavyPage: dcapi_heavy_page,
      customers: flavour === 'msp' ? customers : undefined,
    };
    return settle(estate, () => this.now);
  }

  #firstFaults(): FaultEngine<Action> {
    const engine = new FaultEngine(this.seed, vocabularyFor(this.#traffic));
    for (const rule of scenarioFor(this.scenario, this.profile).rules) engine.add(rule);
    return engine;
  }

  get #traffic(): Traffic {
    return {
      lastMinute: (now) => this.#log.countSince(now - 60_000 + 1, API),
      today: (now) => this.#log.countSince(Math.floor(now / DAY) * DAY, API),
    };
  }
}
