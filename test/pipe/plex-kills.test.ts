/** Three kills of `tap-plex | target-sqlite`; twenty are in test/soak. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { killAndResume } from './plex-kills.ts';
import { PlexWorkshop } from './plex-workshop.ts';

let shop: PlexWorkshop;
beforeAll(async () => {
  shop = await PlexWorkshop.open('demo', { streams: ['parts', 'boms', 'jobs', '*_entries', 'container_movements'] });
});
afterAll(() => shop.close());

test('killed among bills of materials and histories, the pipe loses no row and doubles none', async () => {
  const kills = await killAndResume(shop, 3, 11);
  for (const { side, path, calls } of kills) process.stderr.write(`killed the ${side} at call ${calls} of ${path}\n`);
  expect(kills.some(({ path }) => path.includes('boms'))).toBe(true);
  expect(kills.some(({ path }) => path.includes('-history/'))).toBe(true);
});

test('after a kill among the bills of materials no part is left out, and few are asked for again', async () => {
  await shop.fresh();
  const before = (await shop.calls()).at(-1)?.seq ?? 0;
  await killAtCall(150);
  const { exitCode, lines } = await shop.run();
  expect(exitCode, lines.at(-1)).toBe(0);
  const asked = (await shop.calls(before)).flatMap(({ path, query }) =>
    path.endsWith('/boms') ? (query.partId ?? []) : [],
  );
  const parts = new Set(asked);
  expect(parts.size).toBe(200);
  // A checkpoint comes every hundred parts; four more were on their way.
  expect(asked.length - parts.size).toBeLessThanOrEqual(104);
});

async function killAtCall(wanted: number): Promise<void> {
  const before = (await shop.calls()).at(-1)?.seq ?? 0;
  let kill: () => void = () => undefined;
  const running = shop.run({
    onStart: (tap) => {
      kill = () => void tap.kill('SIGKILL');
    },
  });
  for (;;) {
    const boms = (await shop.calls(before)).filter(({ path }) => path.endsWith('/boms'));
    if (boms.length >= wanted) break;
  }
  kill();
  await running;
}
