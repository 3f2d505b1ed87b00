import { FaultEngine, parseRule, type RuleState } from '../faults.ts';
import { type LoggedRequest, RequestLog } from '../request-log.ts';
import { type Action, type Rule, type Traffic, vocabularyFor } from './actions.ts';
import { profileSizes } from './dataset.ts';
import { ENDPOINTS } from './endpoints.ts';
import { type Credentials, TokenOffice } from './oauth.ts';
import type { ListName } from './population.ts';
import { Population } from './population.ts';
import { scenarioFor } from './scenarios.ts';
import { changedSettings, DEFAULT_SETTINGS, type Settings } from './settings.ts';

const DAY = 86_400_000;
const API = /^\/(api|dcapi)\//;

export interface TenantOptions {
  readonly client_id: string;
  readonly client_secret?: string;
  readonly refresh_token?: string;
  readonly profile?: string;
  readonly seed?: number;
  readonly scenario?: string;
}

/** The truth about one stream; ids on request. */
export interface ManifestStream {
  readonly rows: number;
  readonly ids?: readonly string[];
  /** Ids that were there and are gone. */
  readonly removed?: readonly string[];
}

export interface Manifest {
  readonly streams: Readonly<Record<string, ManifestStream>>;
}

/** One customer of the simulated vendor: own data, tokens, faults, clock and request log. */
export class Tenant {
  readonly credentials: Credentials;
  readonly profile: string;
  readonly seed: number;
  readonly scenario: string;
  /** The server's address, for `config`. */
  readonly #url: string;
  readonly #now: () => number;
  #advanced = 0;
  #settings: Settings = DEFAULT_SETTINGS;
  #population: Population;
  #faults: FaultEngine<Action>;
  #tokens: TokenOffice;
  #log = new RequestLog();
  #attempts = new Map<string, number>();

  /** @throws Error for an unknown profile or scenario. */
  constructor(options: TenantOptions, url: string, now: () => number) {
    this.credentials = {
      client_id: options.client_id,
      client_secret: options.client_secret ?? `${options.client_id}-secret`,
      refresh_token: options.refresh_token ?? `1000.${options.client_id}-refresh`,
    };
    this.profile = options.profile ?? 'small';
    this.seed = options.seed ?? 1;
    this.scenario = options.scenario ?? 'happy';
    this.#url = url;
    this.#now = now;
    this.#population = this.#settle(DEFAULT_SETTINGS);
    this.#faults = this.#freshFaults();
    this.#tokens = new TokenOffice(this.seed, this.credentials);
    this.reset();
  }

  /** Settings that a tap can use as they are. */
  get config(): Readonly<Record<string, unknown>> {
    return { base_url: this.#url, accounts_url: this.#url, ...this.credentials };
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

  /** Changes settings. A new id or type mode starts from a fresh data set without earlier departures. */
  configure(change: unknown): Settings {
    const settings = changedSettings(this.#settings, change);
    const { id_mode, type_mode } = this.#settings;
    this.#settings = settings;
    if (settings.id_mode !== id_mode || settings.type_mode !== type_mode) this.#population = this.#settle(settings);
    return settings;
  }

  get population(): Population {
    return this.#population;
  }

  get tokens(): TokenOffice {
    return this.#tokens;
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

  /** Counts and returns the attempt at this path and page, from 1. */
  attempt(path: string, page: number): number {
    const key = `${path} ${page}`;
    const attempt = (this.#attempts.get(key) ?? 0) + 1;
    this.#attempts.set(key, attempt);
    return attempt;
  }

  /** Members vanish at once, as after `shrinkTotal`. */
  shrink(list: ListName, count: number): void {
    this.#population.shrink(list, count);
  }

  /** Members join at once, as after `growTotal`. */
  grow(list: ListName, count: number, at: 'start' | 'end' = 'end'): void {
    this.#population.grow(list, count, at);
  }

  /** The present truth, for comparison with what a tap brought. */
  manifest(options: { readonly ids?: boolean } = {}): Manifest {
    const streams: Record<string, ManifestStream> = {};
    for (const endpoint of Object.values(ENDPOINTS)) {
      if (endpoint.kind === 'singleton') {
        streams[endpoint.stream] = { rows: 1 };
        continue;
      }
      const { list, stream } = endpoint;
      const rows = this.#population.total(list);
      const ids = (): string[] => this.#population.members(list).map((member) => this.#population.id(list, member));
      streams[stream] = options.ids ? { rows, ids: ids(), removed: this.#population.removed(list) } : { rows };
    }
    return { streams };
  }

  /** Back to the start of the scenario: data, faults, settings, tokens, clock, log. */
  reset(): void {
    const scenario = scenarioFor(this.scenario, this.profile);
    this.#settings = { ...DEFAULT_SETTINGS, ...scenario.settings };
    this.#advanced = 0;
    this.#population = this.#settle(this.#settings);
    this.#tokens = new TokenOffice(this.seed, this.credentials);
    this.#log = new RequestLog();
    this.#attempts = new Map();
    this.#faults = this.#freshFaults();
    for (const rule of scenario.rules) this.#faults.add(rule);
  }

  /** What `/__sim/state` shows. */
  state(): Readonly<Record<string, unknown>> {
    return {
      tenant: this.credentials.client_id,
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

  #settle(settings: Settings): Population {
    const { id_mode: idMode, type_mode: typeMode } = settings;
    return new Population({ seed: this.seed, sizes: profileSizes(this.profile), idMode, typeMode });
  }

  #freshFaults(): FaultEngine<Action> {
    return new FaultEngine(this.seed, vocabularyFor(this.#traffic));
  }

  get #traffic(): Traffic {
    return {
      lastMinute: (now) => this.#log.countSince(now - 60_000 + 1, API),
      today: (now) => this.#log.countSince(Math.floor(now / DAY) * DAY, API),
    };
  }
}
