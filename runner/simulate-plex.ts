/** `tapworks simulate plex`. */
import { PROFILE_NAMES } from '../simulators/plex/profiles.ts';
import { SCENARIO_NAMES } from '../simulators/plex/scenarios.ts';
import { startPlex } from '../simulators/plex/server.ts';
import type { Io } from '../singer/io.ts';
import type { Session } from '../singer/session.ts';
import { serve, serverFlags, serverUsage } from './simulate-server.ts';

export const SIMULATE_PLEX_FLAGS = serverFlags('Size of the plant (default demo)', PROFILE_NAMES, SCENARIO_NAMES);

export const SIMULATE_PLEX_USAGE = serverUsage(PROFILE_NAMES);

export function simulatePlex(io: Io, session: Session): Promise<number> {
  return serve(io, session, startPlex);
}
