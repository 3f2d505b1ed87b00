/** Counters of a run, and their Prometheus text when `--metrics-file` asks for it. */
import { replaceFile } from './state-file.ts';

/** What became of a row. */
export type Outcome = 'read' | 'inserted' | 'updated' | 'unchanged' | 'deleted' | 'rejected';

type Labels = Readonly<Record<string, string>>;

interface Series {
  readonly kind: 'counter' | 'gauge';
  readonly help: string;
  readonly values: Map<string, { readonly labels: Labels; value: number }>;
}

/** Names and values of one run. Names follow the Prometheus convention (`tapworks_…_total` for counters). */
export class Metrics {
  readonly #series = new Map<string, Series>();
  /** The executable's name: a label of what several of them count alike, since their files may end up in one folder. */
  readonly program: string;

  constructor(program = 'tapworks') {
    this.program = program;
  }

  /** Adds `by` to a counter. */
  count(name: string, help: string, labels: Labels, by = 1): void {
    const entry = this.#entry('counter', name, help, labels);
    entry.value += by;
  }

  /** Sets a gauge. */
  gauge(name: string, help: string, labels: Labels, value: number): void {
    this.#entry('gauge', name, help, labels).value = value;
  }

  /** Rows by stream and outcome: the counter that every executable has. */
  rows(stream: string, outcome: Outcome, count: number): void {
    if (count > 0)
      this.count('tapworks_rows_total', 'Rows by stream and what became of them.', { stream, outcome }, count);
  }

  /** The present value, 0 when never set. */
  value(name: string, labels: Labels): number {
    return this.#series.get(name)?.values.get(keyOf(labels))?.value ?? 0;
  }

  /** Replaces `path` by the Prometheus text of all series, atomically. */
  async save(path: string): Promise<void> {
    // prom-client costs 25 ms to load; most runs do not ask for it.
    const { Counter, Gauge, Registry } = await import('prom-client');
    const registry = new Registry();
    for (const [name, { kind, help, values }] of this.#series) {
      const labelNames = [...new Set([...values.values()].flatMap(({ labels }) => Object.keys(labels)))];
      const registers = [registry];
      if (kind === 'counter') {
        const counter = new Counter({ name, help, labelNames, registers });
        for (const { labels, value } of values.values()) counter.inc(labels, value);
      } else {
        const gauge = new Gauge({ name, help, labelNames, registers });
        for (const { labels, value } of values.values()) gauge.set(labels, value);
      }
    }
    await replaceFile(path, await registry.metrics(), 0o644);
  }

  #entry(kind: Series['kind'], name: string, help: string, labels: Labels): { value: number } {
    let series = this.#series.get(name);
    if (series === undefined) {
      series = { kind, help, values: new Map() };
      this.#series.set(name, series);
    }
    const key = keyOf(labels);
    let entry = series.values.get(key);
    if (entry === undefined) {
      entry = { labels, value: 0 };
      series.values.set(key, entry);
    }
    return entry;
  }
}

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
