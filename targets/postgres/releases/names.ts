/** Names of releases: made of the live schema's name, so that it can be seen what they belong to. */
import { timestamp } from '../../../singer/io.ts';
import { shortened } from '../../names.ts';
import { NAME_BYTES } from '../sql.ts';

/** The schema of the books; no release can be called so. */
export const CONTROL_SCHEMA = '_tapworks';

/** Bytes of the longer ending, `_v20260131_060000_1a2b3c4d`. */
const ENDING_BYTES = 26;

function stem(live: string): string {
  return shortened(live, live, NAME_BYTES - ENDING_BYTES);
}

/** The schema of a release: live schema, UTC time to the second, eight characters of the run's id. */
export function releaseName(live: string, now: number, run: string): string {
  const time = timestamp(Math.floor(now / 1000) * 1000)
    .replace(/[-:Z]/g, '')
    .replace('T', '_');
  return `${stem(live)}_v${time}_${run.slice(0, 8)}`;
}

/** What the live schema is called once it has given way, if no release ever made it. */
export function originalName(live: string, run: string): string {
  return `${stem(live)}_original_${run.slice(0, 8)}`;
}
