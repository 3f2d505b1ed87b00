/** One progress bar on a terminal; nothing anywhere else. */
import type { Io } from './io.ts';
import type { Log } from './log.ts';

/** How far a piece of work has come. */
export interface Progress {
  /** Shows `done` of `total` under a label, e.g. pages of a stream. */
  show(label: string, done: number, total: number): void;
  stop(): void;
}

export const NO_PROGRESS: Progress = { show: () => undefined, stop: () => undefined };

/** A bar on stderr when a person watches it. */
export async function openProgress(io: Io, log: Log, wanted: boolean): Promise<Progress> {
  if (!io.terminal || !wanted) return NO_PROGRESS;
  // Loaded only for a terminal: a cron job never pays for it.
  const { default: bars } = await import('cli-progress');
  const bar = new bars.SingleBar({
    stream: io.stderr,
    format: '{label} |{bar}| {value}/{total} · {rate}/s · ETA {eta_formatted}',
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    stopOnComplete: false,
    gracefulExit: false,
    noTTYOutput: false,
  });
  let current: string | undefined;
  let shown = { done: 0, total: 0 };
  let since = 0;
  const payload = (label: string, done: number) => ({
    label,
    rate: (done / Math.max(0.001, (io.clock.now() - since) / 1000)).toFixed(1),
  });
  log.around({
    clear: () => {
      if (current !== undefined) io.stderr.write('\r\u001b[K');
    },
    redraw: () => {
      if (current !== undefined) bar.update(shown.done, payload(current, shown.done));
    },
  });
  return {
    show(label, done, total) {
      shown = { done, total };
      if (label !== current) {
        if (current !== undefined) bar.stop();
        current = label;
        since = io.clock.now();
        bar.start(total, done, payload(label, done));
      } else {
        bar.setTotal(total);
        bar.update(done, payload(label, done));
      }
    },
    stop() {
      if (current !== undefined) bar.stop();
      current = undefined;
    },
  };
}
