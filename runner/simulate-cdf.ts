/** `tapworks simulate cdf`. */
import { PROFILE_NAMES } from '../simulators/cdf/profiles.ts';
import { SCENARIO_NAMES } from '../simulators/cdf/scenarios.ts';
import { startCdf } from '../simulators/cdf/server.ts';
import type { Io } from '../singer/io.ts';
import type { Session } from '../singer/session.ts';
import { serve, serverFlags, serverUsage } from './simulate-server.ts';

export const SIMULATE_CDF_FLAGS = serverFlags('What the project holds (default ready)', PROFILE_NAMES, SCENARIO_NAMES);

export const SIMULATE_CDF_USAGE = serverUsage(PROFILE_NAMES);

export function simulateCdf(io: Io, session: Session): Promise<number> {
  return serve(io, session, startCdf);
}
