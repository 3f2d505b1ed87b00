/** Twenty kills of `tap-plex | target-sqlite`. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { killAndResume } from '../pipe/plex-kills.ts';
import { PlexWorkshop } from '../pipe/plex-workshop.ts';

const KILLS = 20;
const SEED = Number(process.env.TAPWORKS_SEED ?? Date.now() % 1_000_000);

let shop: PlexWorkshop;
beforeAll(async () => {
  shop = await PlexWorkshop.open('demo', {});
});
afterAll(() => shop.close());

test(`${KILLS} kills of tap-plex | target-sqlite (seed ${SEED})`, async () => {
  const kills = await killAndResume(shop, KILLS, SEED);
  for (const { side, path, calls } of kills) process.stderr.write(`killed the ${side} at call ${calls} of ${path}\n`);
  expect(kills).toHaveLength(KILLS);
}, 1_800_000);
