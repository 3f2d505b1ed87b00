/** What every `tapworks simulate` that serves HTTP does: flags to a running simulator, and one line about it. */
import { COMMON_FLAGS, type Flags } from '../singer/command-line.ts';
import { ConnectorError, EXIT } from '../singer/errors.ts';
import type { Io } from '../singer/io.ts';
import { print, type Session } from '../singer/session.ts';

/** What the flags say; a simulator has its own defaults for the rest. */
export interface StartOptions {
  readonly now: () => number;
  readonly port?: number;
  readonly seed?: number;
  readonly profile?: string;
  readonly scenario?: string;
}

export interface Simulator {
  readonly url: string;
  readonly config: unknown;
  /** Fulfilled when it serves no more. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

/** The flags of a simulator; `profile` describes what its profiles are about. */
export function serverFlags(profile: string, profiles: readonly string[], scenarios: readonly string[]) {
  return {
    ...COMMON_FLAGS,
    port: { type: 'number', requiresArg: true, describe: 'Port on 127.0.0.1 (default: any free one)' },
    profile: { type: 'string', requiresArg: true, describe: `${profile}: ${profiles.join(', ')}` },
    seed: { type: 'number', requiresArg: true, describe: 'Number that decides every generated value (default 1)' },
    scenario: { type: 'string', requiresArg: true, describe: `What goes wrong: ${scenarios.join(', ')}` },
  } as const;
}

export function serverUsage(profiles: readonly string[]): string {
  return `$0 [--port N] [--profile ${profiles.join('|')}] [--seed N] [--scenario NAME]`;
}

function wholeNumber(flags: Flags, name: string): number | undefined {
  const value = flags.number(name);
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return value;
  throw new ConnectorError('config', `--${name} must be a whole number`);
}

function optionsFrom(flags: Flags, now: () => number): StartOptions {
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

/** Starts a simulator, says on stdout where it is, and serves until a signal or `/__sim/stop`. */
export async function serve(
  io: Io,
  { flags }: Session,
  start: (options: StartOptions) => Promise<Simulator>,
): Promise<number> {
  const simulator = await start(optionsFrom(flags, () => io.clock.now())).catch((cause: unknown) => {
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
