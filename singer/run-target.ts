/** Runs a target: settings, connection, one load, exit code. And its commands. */
import { randomUUID } from 'node:crypto';
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
import type { Target, TargetCommand } from './sink.ts';
import type { Run } from './stream.ts';
import { LineWriter } from './writer.ts';

/** Flags of every command. */
export const COMMAND_FLAGS = {
  ...CONFIG_FLAG,
  json: { type: 'boolean', describe: 'Answer with one line of JSON' },
  ...COMMON_FLAGS,
} as const satisfies Record<string, Options>;

/** Flags of the command `state`, whose answer is JSON in any case. */
export const STATE_FLAGS = { ...CONFIG_FLAG, ...COMMON_FLAGS } as const satisfies Record<string, Options>;

/** Runs `target` with the given outside world and returns the exit code. */
export function runTarget(target: Target, io: Io): Promise<number> {
  const commands = commandsOf(target);
  const [name = ''] = io.argv;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command !== undefined) return runCommand(target, name, command, io);
  const others = Object.entries(commands).map(
    ([word, { description }]) => `\n  $0 ${word} --config FILE   ${description}`,
  );
  const usage = `$0 --config FILE [--state-file FILE] < messages\n\n${target.description}${others.length === 0 ? '' : `\n\nCommands:${others.join('')}`}`;
  return inSession(target.name, io, TARGET_FLAGS, usage, (session) => targetSession(target, io, session));
}

function commandsOf(target: Target): Readonly<Record<string, TargetCommand>> {
  return { ...(target.readState !== undefined && { state: stateCommand(target) }), ...target.commands };
}

function runCommand(target: Target, name: string, command: TargetCommand, io: Io): Promise<number> {
  const flags = name === 'state' ? STATE_FLAGS : COMMAND_FLAGS;
  const { operand, rest } =
    command.operand === undefined ? { rest: io.argv.slice(1) } : operandOf(io.argv.slice(1), flags);
  const usage = `$0 --config FILE${command.operand === undefined ? '' : ` [${command.operand}]`}\n\n${command.description}`;
  return inSession(
    `${target.name} ${name}`,
    { ...io, argv: rest },
    flags,
    usage,
    async ({ flags: given, log, metrics }) => {
      const settings = await settingsOf(target, io, given, log);
      await command.run(settings, {
        ...{ log, metrics, clock: io.clock, signal: io.signal, env: io.env, progress: NO_PROGRESS },
        ...{ operand, json: given.get('json') === true, id: randomUUID() },
        print: (line) => print(io, line),
      });
      return EXIT.complete;
    },
  );
}

/** The first word that is neither a flag nor the value of one, and everything else. */
function operandOf(
  argv: readonly string[],
  options: Readonly<Record<string, Options>>,
): { readonly operand?: string; readonly rest: readonly string[] } {
  const valued = new Set(
    Object.entries(options)
      .filter(([, { type }]) => type !== 'boolean')
      .flatMap(([flag, { alias }]) => [`--${flag}`, ...[alias ?? []].flat().map((short) => `-${short}`)]),
  );
  const at = argv.findIndex((word, index) => !word.startsWith('-') && !valued.has(argv[index - 1] ?? ''));
  const operand = argv[at];
  return operand === undefined ? { rest: argv } : { operand, rest: argv.toSpliced(at, 1) };
}

function stateCommand(target: Target): TargetCommand {
  return {
    description: `Prints the state that ${target.name} keeps in its store (state_table) as one JSON line; {} when there is none.`,
    async run(settings, { print: answer }) {
      if (settings.state_table === undefined) {
        throw settingsError(target.name, [
          {
            setting: 'state_table',
            problem: 'is missing: without it no state is kept in the store',
            example: '"tap_states"',
          },
        ]);
      }
      await answer((await target.readState?.(settings)) ?? '{}');
    },
  };
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
