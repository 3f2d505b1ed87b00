/** One running simulator: plant, account, settings, faults, clock and what was asked of it. */
import { FaultEngine, type RuleState } from '../faults.ts';
import { type Action, vocabularyFor } from './actions.ts';
import { CallLimit, type Conduct } from './call-limit.ts';
import { CallLog } from './call-log.ts';
import { type DataSourceUser, userOf } from './data-source-api.ts';
import { DAY, readDate, secondsText } from './dates.ts';
import { Plant } from './plant.ts';
import { sizesOf } from './profiles.ts';
import { Records } from './records.ts';
import { accountOf, type RestAccount } from './rest-api.ts';
import { rulesFrom } from './rules.ts';
import { scenarioFor } from './scenarios.ts';
import { changedSettings, DEFAULT_SETTINGS, FLAG_SPELLINGS, type FlagSpelling, type Settings } from './settings.ts';
import type { Window } from './timeline.ts';
import { countOf, linesOf, STREAMS, type TruthLine } from './truth.ts';

export interface SiteOptions {
  readonly profile?: string;
  readonly seed?: number;
  readonly scenario?: string;
}

/** What a reset may decide anew. */
export interface Renewal extends SiteOptions {
  /** The instant that it is from then on, RFC 3339 in UTC. */
  readonly now?: string;
}

const FIRST_TRANSACTION = 900_000_001;

export class Site {
  profile: string;
  seed: number;
  scenario: string;
  /** REST calls of the key that were let in since the last reset. */
  calls = 0;
  readonly #now: () => number;
  /** Added to the clock that was handed in. */
  #offset = 0;
  /** That of the last reset. */
  #offsetAtStart = 0;
  /** What the clock that was handed in said when ours was stopped. */
  #stoodAt: number | undefined;
  #records: Records;
  #settings: Settings;
  #faults: FaultEngine<Action>;
  #log = new CallLog();
  #limit = new CallLimit();
  #attempts = new Map<string, number>();
  #transactions = 0;
  #url = '';

  /** @throws Error for an unknown profile or scenario. */
  constructor(options: SiteOptions, now: () => number) {
    this.profile = options.profile ?? 'demo';
    this.seed = options.seed ?? 1;
    this.scenario = options.scenario ?? 'happy';
    this.#now = now;
    this.#records = this.#newRecords();
    this.#settings = { ...DEFAULT_SETTINGS, ...scenarioFor(this.scenario).settings };
    this.#faults = this.#newFaults();
  }

  /** Virtual epoch milliseconds. */
  get now(): number {
    return (this.#stoodAt ?? this.#now()) + this.#offset;
  }

  advance(milliseconds: number): void {
    this.#offset += milliseconds;
  }

  /** Tells the site its address, for `config`. */
  settleAt(url: string): void {
    this.#url = url;
  }

  get account(): RestAccount {
    return accountOf(this.seed);
  }

  get user(): DataSourceUser {
    return userOf(this.seed);
  }

  get records(): Records {
    return this.#records;
  }

  get settings(): Settings {
    return this.#settings;
  }

  /** @throws Error that names the setting and says what it may be. */
  configure(change: unknown): Settings {
    this.#settings = changedSettings(this.#settings, change);
    const stands = this.#settings.clock === 'stands';
    if (stands) this.#stoodAt ??= this.#now();
    if (!stands && this.#stoodAt !== undefined) {
      // It goes on from where it stood.
      this.#offset += this.#stoodAt - this.#now();
      this.#stoodAt = undefined;
    }
    return this.#settings;
  }

  get log(): CallLog {
    return this.#log;
  }

  get limit(): CallLimit {
    return this.#limit;
  }

  get engine(): FaultEngine<Action> {
    return this.#faults;
  }

  get faults(): readonly RuleState<Action>[] {
    return this.#faults.rules;
  }

  /** Adds a rule that came as JSON. @throws Error that says what is wrong with it. */
  addFault(value: unknown): readonly string[] {
    return rulesFrom(
      value,
      vocabularyFor(() => this.calls),
    ).map((rule) => this.#faults.add(rule));
  }

  /** Counts and returns the attempt at this very request, from 1. */
  attempt(subject: string): number {
    const attempt = (this.#attempts.get(subject) ?? 0) + 1;
    this.#attempts.set(subject, attempt);
    return attempt;
  }

  /** The number of the next call of a data source, and how its answer spells that it was cut. */
  nextTransaction(): { readonly transactionNo: string; readonly flag: FlagSpelling } {
    const { row_limit_flag } = this.#settings;
    const rotated = FLAG_SPELLINGS[this.#transactions % FLAG_SPELLINGS.length] ?? FLAG_SPELLINGS[0];
    const transactionNo = String(FIRST_TRANSACTION + this.#transactions);
    this.#transactions += 1;
    return { transactionNo, flag: row_limit_flag === 'rotate' ? rotated : row_limit_flag };
  }

  get conduct(): Conduct {
    return {
      busiest_minute: this.#limit.busiestMinute,
      refused: this.#limit.refused,
      too_early: this.#limit.tooEarly,
      paging_parameters: this.#log.pagingParameters,
      dates_without_z: this.#log.datesWithoutZ,
    };
  }

  /** Settings that tap-plex can use as they are. */
  get config(): Readonly<Record<string, unknown>> {
    const { apiKey, customerId, pcnCode } = this.account;
    const { username, password } = this.user;
    return {
      base_url: this.#url,
      datasource_base_url: this.#url,
      api_key: apiKey,
      customer_id: customerId,
      pcn_code: pcnCode,
      ds_username: username,
      ds_password: password,
      start_date: secondsText(this.#records.plant.firstDay * DAY),
      datasources: {
        checksheets: { id: 4142, inputs: { Inspection_Date_Begin: '{begin}', Inspection_Date_End: '{end}' } },
        specifications: { id: 6429 },
        daily: { id: 18765 },
        simple: { id: 22870 },
      },
    };
  }

  /** From a first to a last instant; from the first day to now where they are absent. @throws Error for another date. */
  window(begin: string | null, end: string | null): Window {
    const whole = this.#records.wholeHistory;
    const read = (text: string | null, fallback: string): string => {
      if (text === null) return fallback;
      const date = readDate(text);
      if (date === undefined) throw new Error(`"${text}" is not a date like 2026-03-14T00:00:00Z`);
      return date;
    };
    return { begin: read(begin, whole.begin), end: read(end, whole.end) };
  }

  /** How many rows each stream has. */
  manifest(window: Window): Readonly<Record<string, { readonly rows: number }>> {
    return Object.fromEntries(STREAMS.map((stream) => [stream, { rows: countOf(this.#records, stream, window) }]));
  }

  /** The rows of a stream as a tap would deliver them. @throws Error for an unknown stream. */
  truth(stream: string, window: Window, names: boolean): Iterable<TruthLine> {
    return linesOf(this.#records, stream, window, names);
  }

  /** Back to the start: data, settings, faults, clock and log. @throws Error for an unknown profile or scenario. */
  reset(renewal: Renewal = {}): void {
    const { now, profile = this.profile, seed = this.seed, scenario = this.scenario } = renewal;
    const instant = now === undefined ? undefined : Date.parse(now);
    if (now !== undefined && readDate(now) === undefined) {
      throw new Error(`now "${now}" is not a date like 2026-03-14T06:00:00Z`);
    }
    // Both are looked up before anything changes.
    const { settings } = scenarioFor(scenario);
    sizesOf(profile);
    this.profile = profile;
    this.seed = seed;
    this.scenario = scenario;
    this.#stoodAt = undefined;
    if (instant !== undefined) this.#offsetAtStart = instant - this.#now();
    this.#offset = this.#offsetAtStart;
    this.#records = this.#newRecords();
    this.#settings = { ...DEFAULT_SETTINGS, ...settings };
    this.#faults = this.#newFaults();
    this.#log = new CallLog();
    this.#limit = new CallLimit();
    this.#attempts = new Map();
    this.#transactions = 0;
    this.calls = 0;
  }

  #newRecords(): Records {
    const { seed, profile } = this;
    return new Records(new Plant({ seed, profile, started: this.now }, () => this.now));
  }

  #newFaults(): FaultEngine<Action> {
    const engine = new FaultEngine(
      this.seed,
      vocabularyFor(() => this.calls),
    );
    for (const rule of scenarioFor(this.scenario).rules) engine.add(rule);
    return engine;
  }
}
