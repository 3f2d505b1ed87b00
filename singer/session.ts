/** What every run of a tap or target has around it: flags, log, metrics, and the one place that turns errors into exit codes. */
import type { Options } from 'yargs';
import { type Flags, readCommandLine } from './command-line.ts';
import { ConnectorError, EXIT, textOf } from './errors.ts';
import { type Io, stopOf } from './io.ts';
import { type Log, openLog } from './log.ts';
import { Metrics } from './metrics.ts';
import { LineWriter } from './writer.ts';

/** The tools of one run. */
export interface Session {
  readonly flags: Flags;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Runs `body` with flags read and log open, and returns the exit code. Nothing thrown leaves this function. */
export async function inSession(
  name: string,
  io: Io,
  options: Readonly<Record<string, Options>>,
  usage: string,
  body: (session: Session) => Promise<number>,
): Promise<number> {
  // The first word names the program: its log lines and its level variable bear it, whatever the sub-command.
  const program = name.split(' ')[0] ?? name;
  let log: Log | undefined;
  const metrics = new Metrics(program);
  let metricsFile: string | undefined;
  let code: number;
  try {
    const { flags, help } = await readCommandLine(name, io.argv, options, usage);
    if (flags.help) {
      await print(io, await help());
      return EXIT.complete;
    }
    metricsFile = flags.metricsFile;
    log = await openLog(program, io, {
      ...(flags.logFormat !== undefined && { format: flags.logFormat }),
      ...(flags.logLevel !== undefined && { level: flags.logLevel }),
    });
    code = await body({ flags, log, metrics });
  } catch (thrown) {
    log ??= await openLog(program, io);
    code = report(log, thrown);
  }
  if (metricsFile !== undefined) {
    metrics.gauge('tapworks_exit_code', 'Exit code of the last run.', { program }, code);
    metrics.gauge(
      'tapworks_last_run_timestamp_seconds',
      'When the last run ended, epoch seconds.',
      { program },
      io.clock.now() / 1000,
    );
    try {
      await metrics.save(metricsFile);
    } catch (thrown) {
      log.warn('metrics_not_written', textOf(thrown));
    }
  }
  return code;
}

/** Writes one line for the failure and says which exit code it means. */
function report(log: Log, thrown: unknown): number {
  const stop = stopOf(thrown);
  if (stop !== undefined) {
    log.warn('stopped', `${stop.message}; what was confirmed is safe, run again to go on`);
    return stop.exitCode;
  }
  if (thrown instanceof ConnectorError) {
    const refused = thrown.code === 'gate';
    log.critical(refused ? 'refused' : 'failed', thrown.line, { code: thrown.code, ...thrown.where });
    if (refused) return EXIT.refused;
    if (thrown.cause instanceof Error) log.debug('cause', thrown.cause.stack ?? thrown.cause.message);
    return EXIT.failed;
  }
  log.critical('failed', `unexpected failure: ${textOf(thrown)} — please report it with the lines above`);
  if (thrown instanceof Error) log.debug('cause', thrown.stack ?? thrown.message);
  return EXIT.failed;
}

/** Writes text to stdout: only for answers to a person (`--help`, `--discover`, `--status`), never beside messages. */
export async function print(io: Pick<Io, 'stdout'>, text: string): Promise<void> {
  const writer = new LineWriter(io.stdout);
  await writer.line(text);
  await writer.flush();
}
