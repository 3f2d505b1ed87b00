/** Runs a target: settings, connection, one load, exit code. And its command `state`. */
import type { Options } from 'yargs';
import { COMMON_FLAGS, CONFIG_FLAG, type Flags, TARGET_FLAGS } from './command-line.ts';
import { loadSettings, type Settings, settingsError } from './config.ts';
import { EXIT } from './errors.ts';
import { chunksOf } from './input.ts';
import type { Io } from './io.ts';
import { Load } from './load.ts';
import type { Log } from './log.ts';
import { NO_PROGRESS, openProgress } from './progress.ts';
import { inSession, print, type Session } from './session.ts';
import type { Target } from './sink.ts';
import type { Run } from './stream.ts';
import { LineWriter } from './writer.ts';

/** Flags of the command `state`. */
export const STATE_FLAGS = { ...CONFIG_FLAG, ...COMMON_FLAGS } as const satisfies Record<string, Options>;

/** Runs `target` with the given outside world and returns the exit code. */
export function runTarget(target: Target, io: Io): Promise<number> {
  if (target.readState !== undefined && io.argv[0] === 'state') {
    const usage = `$0 --config FILE\n\nPrints the state that ${target.name} keeps in its store (state_table) as one JSON line; {} when there is none.`;
    return inSession(`${target.name} state`, { ...io, argv: io.argv.slice(1) }, STATE_FLAGS, usage, (session) =>
      stateSession(target, io, session),
    );
  }
  const usage = `$0 --config FILE [--state-file FILE] < messages\n\n${target.description}`;
  return inSession(target.name, io, TARGET_FLAGS, usage, (session) => targetSession(target, io, session));
}

function settingsOf(target: Target, io: Io, flags: Flags, log: Log): Promise<Settings> {
  const { name: plugin, settings: schema, rules } = target;
  return loadSettings(
    { plugin, schema, sources: flags.config, complete: true, ...(rules !== undefined && { rules }) },
    io,
    log,
  );
}

async function targetSession(target: Target, io: Io, session: Session): Promise<number> {
  const { flags, log, metrics } = session;
  const settings = await settingsOf(target, io, flags, log);
  const input = flags.get('input');
  const stateFile = flags.get('state-file');
  const file = typeof input === 'string' ? input : undefined;
  // In a pipe the tap draws the bar; two on one terminal would overwrite each other.
  const progress = file === undefined ? NO_PROGRESS : await openProgress(io, log, true);
  const run: Run = { log, clock: io.clock, signal: io.signal, metrics, progress, env: io.env };
  const sink = await target.connect(settings, run);
  try {
    const load = new Load(
      sink,
      settings,
      run,
      new LineWriter(io.stdout),
      typeof stateFile === 'string' ? stateFile : undefined,
    );
    return (await load.run(chunksOf(file, io))) ? EXIT.complete : EXIT.incomplete;
  } finally {
    progress.stop();
    await sink.close();
  }
}

async function stateSession(target: Target, io: Io, { flags, log }: Session): Promise<number> {
  const settings = await settingsOf(target, io, flags, log);
  if (settings.state_table === undefined) {
    throw settingsError(target.name, [
      {
        setting: 'state_table',
        problem: 'is missing: without it no state is kept in the store',
        example: '"tap_states"',
      },
    ]);
  }
  await print(io, (await target.readState?.(settings)) ?? '{}');
  return EXIT.complete;
}
