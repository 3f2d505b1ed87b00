import { Draws } from '../draw.ts';
import { DATA_TIME, DAY, type Dataset } from './dataset.ts';
import type { PairState } from './matrix-index.ts';
import { type Presence, presence } from './row-text.ts';

/** What the endpoints that show pairs say of one patch on one system. */
export interface PairFacts {
  /** ManageEngine documents 201 installed, 202 missing, 206 failed. */
  readonly state: 201 | 202 | 206;
  /** The configuration that installed it or tried to; undefined when the patch came another way or not yet. */
  readonly configuration: number | undefined;
  /** Codes as ManageEngine documents them: 209 success, 206 failed, 207 reboot pending, 245 delayed. */
  readonly deployment: number | undefined;
  readonly errorCode: number | undefined;
  readonly remarks: string | undefined;
  /** Epoch milliseconds; known only for what the server installed itself. */
  readonly installedAt: number | undefined;
  /** How DCAPI writes the time of installation, where it is known. */
  readonly installedAs: Presence;
}

/** Epoch milliseconds of the system's last contact and of the patch's release. */
interface Times {
  readonly contact: number;
  readonly released: number;
}

export function pairFacts(
  data: Dataset,
  system: number,
  patch: number,
  state: PairState,
  { contact, released }: Times,
): PairFacts {
  const draws = new Draws(data.seed, `pair ${system}`, patch);
  const configuration = draws.whole(data.sizes.configurations);
  const age = draws.whole(400) * DAY;
  const drawn = draws.next();
  const unknown = {
    configuration: undefined,
    deployment: undefined,
    errorCode: undefined,
    remarks: undefined,
    installedAt: undefined,
    installedAs: presence(draws),
  };
  if (state === 'failed') {
    const errorCode = drawn < 0.5 ? 18 : 1_603;
    return { ...unknown, state: 206, configuration, deployment: 206, errorCode, remarks: 'dc.patch.install.failed' };
  }
  if (state === 'missing') {
    return { ...unknown, state: 202, deployment: drawn < 0.05 ? 207 : drawn < 0.1 ? 245 : undefined };
  }
  if (drawn < 0.4) return { ...unknown, state: 201, errorCode: -1 };
  const installedAt = Math.min(DATA_TIME, Math.max(released, contact - age));
  const remarks = 'dc.db.agent.config.patchscan.success';
  return { ...unknown, state: 201, configuration, deployment: 209, errorCode: -1, remarks, installedAt };
}
