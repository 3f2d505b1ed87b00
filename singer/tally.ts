/** What a load did, per stream: for the last line, the metrics and the exit code. */
import type { Reject, Written } from './sink.ts';
import type { Run } from './stream.ts';

/** Records set aside are told one by one up to here; the last line has them all. */
const REJECTS_TOLD = 10;

const OUTCOMES = ['inserted', 'updated', 'unchanged', 'deleted'] as const;

type Counts = { -readonly [Outcome in keyof Omit<Written, 'stream'>]: number } & { rejected?: number };

export class Tally {
  readonly #run: Run;
  readonly #streams = new Map<string, Counts>();
  #rejected = 0;

  constructor(run: Run) {
    this.#run = run;
  }

  /** Records that were set aside. */
  get rejected(): number {
    return this.#rejected;
  }

  /** Rows that are durable. */
  add(written: Written): void {
    const counts = this.#of(written.stream);
    for (const outcome of OUTCOMES) {
      counts[outcome] += written[outcome];
      this.#run.metrics.rows(written.stream, outcome, written[outcome]);
    }
  }

  /** A record that was set aside. */
  reject({ stream, line, reason }: Reject): void {
    const counts = this.#of(stream);
    counts.rejected = (counts.rejected ?? 0) + 1;
    this.#rejected += 1;
    this.#run.metrics.rows(stream, 'rejected', 1);
    if (this.#rejected > REJECTS_TOLD) return;
    const more = this.#rejected === REJECTS_TOLD ? '; further ones are not told here' : '';
    this.#run.log.warn('record_rejected', `line ${line}: stream "${stream}": ${reason}; set aside${more}`, {
      stream,
      line,
    });
  }

  /** Writes the last line. */
  tell(good: boolean, lines: number): void {
    const rows = [...this.#streams].map(
      ([stream, { inserted, updated, unchanged, deleted, rejected = 0 }]) =>
        `${stream} ${inserted} new, ${updated} changed, ${unchanged} as before${deleted === 0 ? '' : `, ${deleted} gone`}${rejected === 0 ? '' : `, ${rejected} set aside`}`,
    );
    const text = rows.length === 0 ? 'no rows came in' : rows.join('; ');
    this.#run.log.info(
      good ? 'load_complete' : 'load_stopped',
      good ? `loaded: ${text}` : `written before the stop: ${text}`,
      { streams: Object.fromEntries(this.#streams), lines },
    );
  }

  #of(stream: string): Counts {
    let counts = this.#streams.get(stream);
    if (counts === undefined) {
      counts = { inserted: 0, updated: 0, unchanged: 0, deleted: 0 };
      this.#streams.set(stream, counts);
    }
    return counts;
  }
}
