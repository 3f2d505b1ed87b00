/** One running simulator: project, client, settings, faults, clock and what was asked of it. */
import { hash } from '../draw.ts';
import { FaultEngine, type RuleState } from '../faults.ts';
import { type Action, VOCABULARY } from './actions.ts';
import { CallLog, Rate } from './call-log.ts';
import { PCN, PIPELINE, projectFor } from './profiles.ts';
import type { Context, Project } from './project.ts';
import { rulesFrom } from './rules.ts';
import { scenarioFor } from './scenarios.ts';
import { changedSettings, DEFAULT_SETTINGS, type Settings } from './settings.ts';
import { clientOf, scopeOf, Tokens } from './tokens.ts';
import { manifestOf, truthOf } from './truth.ts';

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

/** Name of the project in a path. */
export const PROJECT = 'example-plant';

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z$/;

/** Everything that a reset makes anew. */
interface State {
  readonly profile: string;
  readonly seed: number;
  readonly scenario: string;
  readonly project: Project;
  readonly engine: FaultEngine<Action>;
  readonly tokens: Tokens;
  readonly log: CallLog;
  readonly rate: Rate;
  readonly attempts: Map<string, number>;
}

export class Site {
  readonly #now: () => number;
  /** Added to the clock that was handed in. */
  #offset = 0;
  /** That of the last reset. */
  #offsetAtStart = 0;
  /** What the clock that was handed in said when ours was stopped. */
  #stoodAt: number | undefined;
  #settings: Settings;
  #state: State;
  #url = '';

  /** @throws Error for an unknown profile or scenario. */
  constructor({ profile = 'ready', seed = 1, scenario = 'happy' }: SiteOptions, now: () => number) {
    this.#now = now;
    this.#settings = { ...DEFAULT_SETTINGS, ...scenarioFor(scenario).settings };
    this.#state = this.#newState({ profile, seed, scenario });
  }

  get profile(): string {
    return this.#state.profile;
  }

  get seed(): number {
    return this.#state.seed;
  }

  get scenario(): string {
    return this.#state.scenario;
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

  get project(): Project {
    return this.#state.project;
  }

  get context(): Context {
    return { project: this.project, now: this.now, settings: this.#settings };
  }

  get tokens(): Tokens {
    return this.#state.tokens;
  }

  get log(): CallLog {
    return this.#state.log;
  }

  get rate(): Rate {
    return this.#state.rate;
  }

  get engine(): FaultEngine<Action> {
    return this.#state.engine;
  }

  get faults(): readonly RuleState<Action>[] {
    return this.engine.rules;
  }

  /** Adds a rule that came as JSON. @throws Error that says what is wrong with it. */
  addFault(value: unknown): readonly string[] {
    return rulesFrom(value).map((rule) => this.engine.add(rule));
  }

  /** Counts and returns the attempt at this very request, from 1. */
  attempt(subject: string): number {
    const { attempts } = this.#state;
    const attempt = (attempts.get(subject) ?? 0) + 1;
    attempts.set(subject, attempt);
    return attempt;
  }

  /** Names the answer to a request. */
  requestId(seq: number): string {
    return `req-${hash(this.seed, 'request', seq).toString(16).padStart(8, '0')}-${seq}`;
  }

  /** Settings that target-cdf can use as they are. */
  get config(): Readonly<Record<string, unknown>> {
    const { id, secret } = clientOf(this.seed);
    const pipeline = this.project.of('extpipes').named(PIPELINE);
    return {
      base_url: this.#url,
      project: PROJECT,
      token_url: `${this.#url}/oauth/token`,
      client_id: id,
      client_secret: secret,
      scopes: scopeOf(this.#settings, this.#url),
      ...(this.#settings.audience !== '' && { audience: this.#settings.audience }),
      pcn: PCN,
      facility_name: 'Demo Plant',
      facility_code: 'DEMO',
      facility_timezone: 'UTC',
      facility_country: 'US',
      ...(pipeline && { extraction_pipeline: PIPELINE }),
    };
  }

  /** Requests at once, figures per endpoint, and what became of the objects. */
  get stats(): Readonly<Record<string, unknown>> {
    const { log, project, tokens } = this;
    return { peak_parallel: log.peak, tokens: tokens.count, endpoints: log.endpoints, changes: project.changes };
  }

  /** How many objects each stream has. */
  get manifest(): Readonly<Record<string, { readonly rows: number }>> {
    return manifestOf(this.context);
  }

  /** The objects of a stream as two loads can be compared. @throws Error for an unknown stream. */
  truth(stream: string, prefix: string): readonly object[] {
    return truthOf(this.context, stream, prefix);
  }

  /** Back to the start: project, settings, faults, tokens, clock and log. @throws Error for what is not known. */
  reset(renewal: Renewal = {}): void {
    const { now, profile = this.profile, seed = this.seed, scenario = this.scenario } = renewal;
    if (now !== undefined && (!RFC_3339.test(now) || Number.isNaN(Date.parse(now)))) {
      throw new Error(`now "${now}" is not a date like 2026-03-14T06:00:00Z`);
    }
    // Both are tried before anything changes.
    const { settings } = scenarioFor(scenario);
    projectFor(profile, seed, 0);
    this.#stoodAt = undefined;
    if (now !== undefined) this.#offsetAtStart = Date.parse(now) - this.#now();
    this.#offset = this.#offsetAtStart;
    this.#settings = { ...DEFAULT_SETTINGS, ...settings };
    this.#state = this.#newState({ profile, seed, scenario });
  }

  #newState({ profile, seed, scenario }: Required<SiteOptions>): State {
    const engine = new FaultEngine(seed, VOCABULARY);
    for (const rule of scenarioFor(scenario).rules.flatMap(rulesFrom)) engine.add(rule);
    return {
      profile,
      seed,
      scenario,
      project: projectFor(profile, seed, this.now),
      engine,
      tokens: new Tokens(seed),
      log: new CallLog(),
      rate: new Rate(),
      attempts: new Map(),
    };
  }
}
