/** tap-pmp as cron runs it: every six hours for two days, in virtual time, against a server that misbehaves. */
import { Extraction } from './extraction.ts';

const HOUR = 3_600_000;

export interface CronRun {
  /** Hours since the first run. */
  readonly hour: number;
  readonly exitCode: number;
  readonly requests: number;
  readonly coveragePct: number;
  readonly gaps: number;
  readonly finished: boolean;
}

export interface CronCourse {
  readonly profile: string;
  readonly scenario: string;
  readonly seed: number;
  readonly pagesPerRun?: number;
}

/** Runs the default selection with the default settings, but for the pages of a run. */
export async function twoDaysOfCron({ profile, scenario, seed, pagesPerRun }: CronCourse): Promise<readonly CronRun[]> {
  const extraction = await Extraction.start(
    { profile, scenario, seed },
    { request_timeout_seconds: 1, ...(pagesPerRun !== undefined && { pages_per_run: pagesPerRun }) },
  );
  const runs: CronRun[] = [];
  const start = extraction.clock.now();
  for (let hour = 0; hour < 48; hour += 6) {
    extraction.clock.advance(Math.max(0, start + hour * HOUR - extraction.clock.now()));
    const output = await extraction.run();
    const [batch] = output.events('batch_complete');
    const [end] = output.events('run_complete');
    const state = (await extraction.state()) as { bookmarks: Record<string, { finished?: boolean; gaps?: unknown[] }> };
    const bookmarks = Object.values(state.bookmarks);
    runs.push({
      hour,
      exitCode: output.code,
      requests: Number(batch?.requests),
      coveragePct: Number(end?.coverage_pct),
      gaps: bookmarks.reduce((sum, { gaps = [] }) => sum + gaps.length, 0),
      finished: bookmarks.every(({ finished }) => finished === true),
    });
  }
  await extraction.close();
  return runs;
}
