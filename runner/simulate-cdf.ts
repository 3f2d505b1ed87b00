/** `tapworks simulate cdf`: flags to a running simulator and one line about it. */
import { PROFILE_NAMES } from '../simulators/cdf/profiles.ts';
import { SCENARIO_NAMES } from '../simulators/cdf/scenarios.ts';
import { type CdfOptions, startCdf } from '../simulators/cdf/server.ts';
import { COMMON_FLAGS, type Flags } from '../singer/command-line.ts';
import { ConnectorError, EXIT } from '../singer/errors.ts';
import type { Io } from '../singer/io.ts';
import { print, type Session } from '../singer/session.ts';

export const SIMULATE_CDF_FLAGS = {
  ...COMMON_FLAGS,
  port: { type: 'number', requiresArg: true, describe: 'Port on 127.0.0.1 (default: any free one)' },
  profile: {
    type: 'string',
    requiresArg: true,
    describe: `What the project holds: ${PROFILE_NAMES.join(', ')} (default ready)`,
  },
  seed: { type: 'number', requiresArg: true, describe: 'Number that decides every generated value (default 1)' },
  scenario: { type: 'string', requiresArg: true, describe: `What goes wrong: ${SCENARIO_NAMES.join(', ')}` },
} as const;

export const SIMULATE_CDF_USAGE = `$0 [--port N] [--profile ${PROFILE_NAMES.join('|')}] [--seed N] [--scenario NAME]`;

function wholeNumber(flags: Flags, name: string): number | undefined {
  const value = flags.number(name);
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return value;
  throw new ConnectorError('config', `--${name} must be a whole number`);
}

function optionsFrom(flags: Flags, now: () => number): CdfOptions {
  const [port, seed] = [wholeNumber(flags, 'port'), wholeNumber(flags, 'seed')];
  const [profile, scenario] = [flags.get('profile'), flags.get('scenario')];
  return {
    now,
    ...(port !== undefined && { port }),
    ...(seed !== undefined && { seed }),
    ...(typeof profile === 'string' && { profile }),
    ...(typeof scenario === 'string' && { scenario }),
  };
}

/** Starts the simulator, says on stdout where it is, and serves until a signal or `/__sim/stop`. */
export async function simulateCdf(io: Io, { flags }: Session): Promise<number> {
  const simulator = await startCdf(optionsFrom(flags, () => io.clock.now())).catch((cause: unknown) => {
    if (cause instanceof ConnectorError) throw cause;
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new ConnectorError('config', `cannot start the simulator: ${problem}`, {}, { cause });
  });
  await print(io, JSON.stringify({ url: simulator.url, config: simulator.config }));
  const stop = () => void simulator.close();
  if (io.signal.aborted) stop();
  else io.signal.addEventListener('abort', stop, { once: true });
  await simulator.ended;
  io.signal.throwIfAborted();
  return EXIT.complete;
}
