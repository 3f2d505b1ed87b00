/** The `tapworks` command: words to functions. */
import { COMMON_FLAGS } from '../singer/command-line.ts';
import { nearest } from '../singer/config.ts';
import { ConnectorError, EXIT } from '../singer/errors.ts';
import type { Io } from '../singer/io.ts';
import { inSession, print } from '../singer/session.ts';

const SIMULATE_FLAGS = {
  ...COMMON_FLAGS,
  port: { type: 'number', requiresArg: true, describe: 'Port on 127.0.0.1 (default: any free one)' },
  profile: { type: 'string', requiresArg: true, describe: 'Size of the data: small or full' },
  seed: { type: 'number', requiresArg: true, describe: 'Number that decides every generated value' },
  scenario: { type: 'string', requiresArg: true, describe: 'Faults to play, e.g. hostile' },
} as const;

interface Command {
  readonly words: string;
  readonly describe: string;
  run(io: Io): Promise<number>;
}

const COMMANDS: readonly Command[] = [
  {
    words: 'demo',
    describe: 'Load a simulated tenant through tap-pmp and tap-dcapi into one database and show what came',
    run: (io) =>
      inSession(
        'tapworks demo',
        io,
        COMMON_FLAGS,
        "$0\n\nLoads the simulator's small profile through tap-pmp and tap-dcapi into demo/pmp.db.",
        async ({ log }) => {
          const { demo } = await import('./demo.ts');
          return demo(io, log);
        },
      ),
  },
  {
    words: 'simulate pmp',
    describe: 'Start a simulated Patch Manager Plus on 127.0.0.1',
    run: (io) =>
      inSession(
        'tapworks simulate pmp',
        io,
        SIMULATE_FLAGS,
        '$0 [--port N] [--profile small|full] [--seed N] [--scenario NAME]',
        async ({ flags }) => {
          const { startManageEngine } = await import('../simulators/manageengine/server.ts');
          const number = (name: string) => wholeNumber(name, flags.number(name));
          const text = (name: string) => flags.get(name);
          const [port, seed, profile, scenario] = [number('port'), number('seed'), text('profile'), text('scenario')];
          const simulator = await startManageEngine({
            ...(port !== undefined && { port }),
            ...(seed !== undefined && { seed }),
            ...(typeof profile === 'string' && { profile }),
            ...(typeof scenario === 'string' && { scenario }),
          }).catch((cause: unknown) => {
            throw new ConnectorError(
              'config',
              `cannot start the simulator: ${cause instanceof Error ? cause.message : String(cause)}`,
              {},
              { cause },
            );
          });
          await print(io, JSON.stringify({ url: simulator.url, config: simulator.config }));
          return new Promise<number>((_resolve, reject) => {
            const stop = () => void simulator.close().finally(() => reject(io.signal.reason));
            if (io.signal.aborted) stop();
            else io.signal.addEventListener('abort', stop, { once: true });
          });
        },
      ),
  },
  {
    words: 'simulate plex',
    describe: 'Start a simulated Plex tenant on 127.0.0.1',
    run: async (io) => {
      const { SIMULATE_PLEX_FLAGS, SIMULATE_PLEX_USAGE, simulatePlex } = await import('./simulate-plex.ts');
      return inSession('tapworks simulate plex', io, SIMULATE_PLEX_FLAGS, SIMULATE_PLEX_USAGE, (session) =>
        simulatePlex(io, session),
      );
    },
  },
  {
    words: 'simulate cdf',
    describe: 'Start a simulated project of Cognite Data Fusion on 127.0.0.1',
    run: async (io) => {
      const { SIMULATE_CDF_FLAGS, SIMULATE_CDF_USAGE, simulateCdf } = await import('./simulate-cdf.ts');
      return inSession('tapworks simulate cdf', io, SIMULATE_CDF_FLAGS, SIMULATE_CDF_USAGE, (session) =>
        simulateCdf(io, session),
      );
    },
  },
  {
    words: 'simulate servicedesk',
    describe: 'Write a ServiceDesk database with known defects, and its truth',
    run: async (io) => {
      const { SIMULATE_SERVICEDESK_FLAGS, SIMULATE_SERVICEDESK_USAGE, simulateServiceDesk } = await import(
        './simulate-servicedesk.ts'
      );
      return inSession(
        'tapworks simulate servicedesk',
        io,
        SIMULATE_SERVICEDESK_FLAGS,
        SIMULATE_SERVICEDESK_USAGE,
        (session) => simulateServiceDesk(io, session),
      );
    },
  },
];

function wholeNumber(name: string, value: number | undefined): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value >= 0)) return value;
  throw new ConnectorError('config', `--${name} must be a whole number`);
}

const HELP = [
  'tapworks <command>',
  '',
  'Commands:',
  ...COMMANDS.map(({ words, describe }) => `  tapworks ${words.padEnd(20)} ${describe}`),
  '',
  'Each command explains its flags with --help.',
].join('\n');

/** Runs the command that the arguments name and returns the exit code. */
export async function runTapworks(io: Io): Promise<number> {
  const words = io.argv.slice(
    0,
    io.argv.findIndex((word) => word.startsWith('-')) === -1
      ? io.argv.length
      : io.argv.findIndex((word) => word.startsWith('-')),
  );
  const command = COMMANDS.find(({ words: known }) => {
    const parts = known.split(' ');
    return parts.every((part, index) => words[index] === part);
  });
  if (command !== undefined) return command.run(rest(io, command.words.split(' ').length));
  if (io.argv.length === 0 || io.argv[0] === '--help' || io.argv[0] === '-h') {
    await print(io, HELP);
    return EXIT.complete;
  }
  return inSession('tapworks', rest(io, io.argv.length), {}, HELP, async () => {
    const asked = words.join(' ');
    const near = nearest(
      asked,
      COMMANDS.map(({ words: known }) => known),
    );
    throw new ConnectorError(
      'config',
      `tapworks: unknown command "${asked === '' ? io.argv[0] : asked}"`,
      {},
      {
        hint:
          near === undefined
            ? `known: ${COMMANDS.map(({ words: known }) => known).join(', ')}`
            : `did you mean "${near}"?`,
      },
    );
  });
}

/** The same outside world without the first `count` words. */
function rest(io: Io, count: number): Io {
  return Object.create(io, { argv: { value: io.argv.slice(count) } }) as Io;
}
