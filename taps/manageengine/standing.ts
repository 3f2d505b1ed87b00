/** Where the selected streams of a run stand, and what that means: status of the snapshot, exit code, summary. Pure. */
import { coverage, type SweepState } from '../../http/sweep-state.ts';
import { EXIT } from '../../singer/errors.ts';
import type { Json } from '../../singer/lossless.ts';
import type { SnapshotStatus } from './bookkeeping.ts';
import { allDone } from './current-snapshot.ts';
import { asSweep, coveragePercent, type EndpointStream, isAbsent, isEnded } from './streams.ts';

/** A stream that could not be read in this run. */
export interface StreamFailure {
  readonly stream: string;
  readonly reason: string;
}

export class Standing {
  readonly #selected: readonly EndpointStream[];
  readonly #bookmarks: Readonly<Record<string, Json>>;
  /** The coverage asked for, 0 to 1. */
  readonly target: number;
  /** Streams that failed for a customer at least, and those that failed for all. */
  readonly #touched: ReadonlySet<string>;
  readonly #failed: ReadonlySet<string>;
  /** The stream that coverage is measured on, if it is selected, and its sweep, if it began. */
  readonly measured: EndpointStream | undefined;
  readonly sweep: SweepState | undefined;

  constructor(
    selected: readonly EndpointStream[],
    bookmarks: Readonly<Record<string, Json>>,
    target: number,
    failures: readonly StreamFailure[],
    customers = 1,
  ) {
    this.#selected = selected;
    this.#bookmarks = bookmarks;
    this.target = target;
    const names = failures.map(({ stream }) => stream);
    this.#touched = new Set(names);
    this.#failed = new Set(names.filter((name) => names.filter((other) => other === name).length >= customers));
    this.measured = selected.find(({ measuresCoverage }) => measuresCoverage);
    this.sweep = asSweep(bookmarks[this.measured?.name ?? '']);
  }

  /** Coverage in percent; 0 before the first page. */
  get percent(): number {
    return coveragePercent(this.sweep);
  }

  /** "Met" is said of a finished sweep only. */
  get targetMet(): boolean {
    return this.sweep?.finished === true && coverage(this.sweep) >= this.target;
  }

  gaps(): readonly { readonly stream: string; readonly page: number; readonly error_type: string }[] {
    return this.#selected.flatMap(({ name }) =>
      (asSweep(this.#bookmarks[name])?.gaps ?? []).map(({ page, error_type }) => ({ stream: name, page, error_type })),
    );
  }

  /** Open gaps of each selected stream of pages. */
  gapCounts(): readonly (readonly [stream: string, gaps: number])[] {
    return this.#selected.flatMap(({ name }) => {
      const sweep = asSweep(this.#bookmarks[name]);
      return sweep === undefined ? [] : [[name, sweep.gaps.length] as const];
    });
  }

  /** Probed streams that this server does not offer. */
  absent(): readonly string[] {
    return this.#selected.filter(({ name }) => isAbsent(this.#bookmarks[name])).map(({ name }) => name);
  }

  status(): SnapshotStatus {
    if (this.#allFailed()) return 'failed';
    if (this.#selected.some(({ name }) => !this.#touched.has(name) && !isEnded(this.#bookmarks[name])))
      return 'running';
    const whole = allDone(this.#selected, { bookmarks: this.#bookmarks });
    return whole && (this.measured === undefined || this.targetMet) ? 'complete' : 'partial';
  }

  /**
   * 1 when every selected stream failed, 2 when one did, when the sweep ended below its target or when another stream
   * ended with pages missing; else 0, also for a batch that ended in order.
   */
  exitCode(): 0 | 1 | 2 {
    if (this.#touched.size > 0) return this.#allFailed() ? EXIT.failed : EXIT.incomplete;
    if (this.sweep?.finished === true && !this.targetMet) return EXIT.incomplete;
    const short = this.#selected.some(({ name, measuresCoverage }) => {
      const sweep = asSweep(this.#bookmarks[name]);
      return !measuresCoverage && sweep?.finished === true && sweep.gaps.length > 0;
    });
    return short ? EXIT.incomplete : EXIT.complete;
  }

  /** True when something failed and nothing else did anything: a probed endpoint that is not there brought nothing. */
  #allFailed(): boolean {
    const absent = new Set(this.absent());
    const asked = this.#selected.filter(({ name }) => !absent.has(name));
    return asked.length > 0 && asked.every(({ name }) => this.#failed.has(name));
  }

  /** How far the measured stream is, for a person; ends with `; ` unless it is empty. */
  position(): string {
    if (this.sweep === undefined) return '';
    const { distinct, total, weight, finished, next_page: next } = this.sweep;
    const held = weight === undefined ? '' : `, ${weight} patches`;
    const open = finished ? '' : `, next page ${next}`;
    return `${this.measured?.name} ${distinct} of ${total} (${this.percent} %)${held}${open}; `;
  }

  /** The same for the closing log event. */
  fields(): Readonly<Record<string, unknown>> {
    return {
      coverage_pct: this.percent,
      coverage_target_pct: Math.round(this.target * 1000) / 10,
      target_met: this.targetMet,
      sweep_finished: this.sweep?.finished === true,
      gaps: this.gaps().length,
    };
  }
}
