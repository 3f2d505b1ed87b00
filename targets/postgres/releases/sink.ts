/**
 * The sink of `release: blue_green`. The whole load is one transaction in a schema of its own: until it is committed
 * nobody sees any of it, and a crash leaves nothing. Then the release is checked, and made live by another one.
 */
import { randomUUID } from 'node:crypto';
import { ConnectorError, textOf } from '../../../singer/errors.ts';
import { timestamp } from '../../../singer/io.ts';
import type { Batch, Misfit, Reject, Retirement, Sink, SinkStream, Written } from '../../../singer/sink.ts';
import type { Run } from '../../../singer/stream.ts';
import { connect, type Session } from '../connection.ts';
import { tellMended } from '../encoding.ts';
import type { PostgresSettings } from '../sink.ts';
import { createStates, saveState } from '../sql.ts';
import { Builder } from './builder.ts';
import { type Check, failedChecks, readChecks, shrunkTables } from './checks.ts';
import { dropSuperseded, tryToDrop } from './drop.ts';
import { change, enter, openLedger, type Release, readLedger } from './ledger.ts';
import { releaseName } from './names.ts';
import type { ReleaseRules } from './settings.ts';
import { schemaOid, switchTo } from './switch.ts';
import { takeTurn } from './turn.ts';

/** The settings of the target, and those that are for releases only. */
export interface ReleaseSettings extends PostgresSettings, ReleaseRules {}

/** Connects and returns the sink. Fails before anything is read when the database cannot be used, or somebody else is at it. */
export async function connectRelease(settings: ReleaseSettings, run: Run): Promise<Sink> {
  const checks = await readChecks(settings.checks);
  const session = await connect(settings.address, settings.patience);
  session.stopWith(run);
  try {
    await takeTurn(session, settings.schema);
    await openLedger(session);
    for (const { status, release } of await readLedger(session, settings.schema)) {
      if (status !== 'loaded') continue;
      // Whoever made it has died in between: the turn is ours.
      run.log.warn(
        'release_abandoned',
        `release ${release} was left by a run that died before the switch; it is dropped`,
      );
      await tryToDrop(session, release, run);
    }
    return new ReleaseSink(session, settings, checks, await schemaOid(session, settings.schema), run);
  } catch (cause) {
    await session.end();
    throw cause;
  }
}

class ReleaseSink implements Sink {
  readonly #session: Session;
  readonly #settings: ReleaseSettings;
  readonly #checks: readonly Check[];
  /** Identity of the live schema when this run began. */
  readonly #live: string | undefined;
  readonly #run: Run;
  readonly #id = randomUUID();
  readonly #release: string;
  readonly #startedAt: string;
  readonly #builder: Builder;
  #open = false;

  constructor(
    session: Session,
    settings: ReleaseSettings,
    checks: readonly Check[],
    live: string | undefined,
    run: Run,
  ) {
    this.#session = session;
    this.#settings = settings;
    this.#checks = checks;
    this.#live = live;
    this.#run = run;
    this.#release = releaseName(settings.schema, run.clock.now(), this.#id);
    this.#startedAt = timestamp(run.clock.now());
    this.#builder = new Builder(session, settings, this.#release, run);
  }

  prepare(stream: SinkStream): Promise<void> {
    return this.#write(() => this.#builder.prepare(stream));
  }

  add(batch: Batch, from: number): Promise<Misfit | undefined> {
    return this.#write(() => this.#builder.add(batch, from));
  }

  versions(stream: SinkStream): Promise<readonly (bigint | null)[]> {
    return this.#write(() => this.#builder.versions(stream));
  }

  retire(stream: SinkStream, rows: Retirement): Promise<void> {
    return this.#write(() => this.#builder.retire(stream, rows));
  }

  reject(records: readonly Reject[]): Promise<void> {
    return this.#write(() => this.#builder.reject(records));
  }

  /** Nothing is durable before the release is whole; what was sent is counted. */
  commit(): Promise<readonly Written[]> {
    return this.#write(() => this.#builder.written());
  }

  /** Completes the release, checks it, and makes it live. */
  async finish(state: string | undefined): Promise<void> {
    if (this.#builder.empty) {
      this.#run.log.warn('release_empty', 'the input brought no stream, so there is nothing to release');
      return this.#keepState(state);
    }
    const release = await this.#write(() => this.#complete(state));
    try {
      await this.#validate(release);
    } catch (cause) {
      await this.#keep('refused', cause);
      throw cause;
    }
    try {
      await switchTo(
        this.#session,
        {
          live: this.#settings.schema,
          next: release,
          expected: this.#live,
          former: 'superseded',
          lockSeconds: this.#settings.patience.lockSeconds,
          run: this.#id,
        },
        this.#run,
      );
    } catch (cause) {
      await this.#keep('waiting', cause);
      throw cause;
    }
    this.#run.log.info('released', `release ${release.release} is live as schema "${this.#settings.schema}"`, {
      release: release.release,
    });
    await dropSuperseded(this.#session, this.#settings.schema, this.#settings.keep, this.#run);
  }

  async #keepState(state: string | undefined): Promise<void> {
    const { state: place, schema } = this.#settings;
    if (state === undefined || place === undefined || this.#live === undefined) return;
    const table = { schema, name: place.table };
    await this.#session.query(createStates(table));
    await this.#session.query(saveState(table), [place.key, state, timestamp(this.#run.clock.now())]);
  }

  /** Keys, indexes and the books; then the release is durable, and still nobody's business. */
  async #complete(state: string | undefined): Promise<Release> {
    const tables = await this.#builder.complete();
    const release: Release = {
      release: this.#release,
      status: 'loaded',
      oid: (await schemaOid(this.#session, this.#release)) ?? '',
      tables,
      replaced: undefined,
      note: undefined,
      state,
      place: this.#settings.state,
      startedAt: this.#startedAt,
      switchedAt: undefined,
    };
    await enter(this.#session, this.#settings.schema, release);
    await change(this.#session, release.release, this.#run.clock.now(), {
      status: 'loaded',
      ...(state !== undefined && { state }),
      ...(this.#settings.state !== undefined && { place: this.#settings.state }),
    });
    await this.#session.query('COMMIT');
    this.#open = false;
    return release;
  }

  async #validate({ tables }: Release): Promise<void> {
    const { schema, allowShrink } = this.#settings;
    const failures = [...this.#builder.failures];
    const releases = await readLedger(this.#session, schema);
    const live = releases.find(({ oid }) => oid === this.#live)?.tables ?? {};
    if (!allowShrink && this.#live !== undefined) {
      failures.push(...(await shrunkTables(this.#session, schema, live, tables)));
    }
    failures.push(...(await failedChecks(this.#session, this.#release, this.#checks)));
    if (failures.length === 0) return;
    throw new ConnectorError(
      'gate',
      `release ${this.#release} was refused, schema "${schema}" is as it was: ${failures.join('; ')}`,
      { path: schema },
      {
        hint: `look at schema "${this.#release}", then target-postgres promote ${this.#release} or drop ${this.#release}`,
      },
    );
  }

  /** What is not live is kept to be looked at; the one before it is not of interest any more. */
  async #keep(status: 'refused' | 'waiting', cause: unknown): Promise<void> {
    const { schema } = this.#settings;
    const now = this.#run.clock.now();
    try {
      await change(this.#session, this.#release, now, { status, note: textOf(cause) });
      for (const { release, status: other } of await readLedger(this.#session, schema)) {
        if (release === this.#release) continue;
        if (other === 'refused' || other === 'waiting') await tryToDrop(this.#session, release, this.#run);
      }
    } catch (second) {
      this.#run.log.debug('release_not_noted', textOf(second));
    }
  }

  async close(): Promise<void> {
    await this.#builder.abort();
    tellMended(this.#run.log, this.#builder.encoder.mended);
    await this.#session.end();
  }

  /** Runs `body` in the one transaction of the load. When it fails, all of the release is taken back. */
  async #write<Result>(body: () => Promise<Result>): Promise<Result> {
    try {
      if (!this.#open) {
        await this.#session.query('BEGIN');
        this.#open = true;
        await this.#builder.begin(this.#live);
      }
      return await body();
    } catch (cause) {
      this.#open = false;
      await this.#builder.abort();
      await this.#session.query('ROLLBACK').catch((second: unknown) => {
        this.#run.log.debug('rollback_failed', textOf(second));
      });
      throw this.#session.failure('write to', cause);
    }
  }
}
