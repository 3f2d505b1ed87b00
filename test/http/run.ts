/** What the runner hands to everything that runs, in memory. */
import { Stop } from '../../singer/io.ts';
import type { Log } from '../../singer/log.ts';
import { Metrics } from '../../singer/metrics.ts';
import { NO_PROGRESS } from '../../singer/progress.ts';
import type { Run } from '../../singer/stream.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface Line {
  readonly level: string;
  readonly event: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface MemoryRun extends Run {
  readonly clock: VirtualClock;
  readonly lines: readonly Line[];
  /** Texts that were declared secret. */
  readonly hidden: readonly string[];
  events(event: string): readonly Line[];
  stop(): void;
}

export function memoryRun(clock: VirtualClock = new VirtualClock(), env: Run['env'] = {}): MemoryRun {
  const lines: Line[] = [];
  const hidden: string[] = [];
  const controller = new AbortController();
  const write =
    (level: string): Log['info'] =>
    (event, message, fields = {}) => {
      lines.push({ level, event, message, fields });
    };
  return {
    clock,
    env,
    lines,
    hidden,
    events: (event) => lines.filter((line) => line.event === event),
    signal: controller.signal,
    stop: () => controller.abort(new Stop('SIGTERM')),
    metrics: new Metrics(),
    progress: NO_PROGRESS,
    log: {
      debug: write('DEBUG'),
      info: write('INFO'),
      warn: write('WARNING'),
      error: write('ERROR'),
      critical: write('CRITICAL'),
      redact: (text) => text,
      hide: (secret) => {
        hidden.push(secret);
      },
      always: () => undefined,
      around: () => undefined,
    },
  };
}
