import { defineConfig } from 'vitest/config';

const soak = process.env.TAPWORKS_SOAK === '1';
const system = process.env.TAPWORKS_SYSTEM === '1';
const interop = process.env.TAPWORKS_INTEROP === '1';
const hostile = process.env.TAPWORKS_HOSTILE === '1';

/** What a byte and a row at a time makes no difference to: tests that read neither a vendor's reply nor a load. */
const INDIFFERENT = ['bench', 'docs', 'postgres', 'repository', 'simulators', 'singer'].map(
  (room) => `test/${room}/**`,
);

export default defineConfig({
  test: {
    pool: 'forks',
    // One worker more than vitest leaves for itself: most tests wait for servers and processes.
    maxWorkers: '100%',
    // A byte at a time takes a test to half a minute, and .ci/run has other tests running beside it.
    testTimeout: hostile ? 240_000 : 60_000,
    hookTimeout: 60_000,
    globalSetup: 'test/postgres/setup.ts',
    coverage: {
      provider: 'v8',
      include: ['singer/**/*.ts', 'http/**/*.ts', 'taps/**/*.ts', 'targets/**/*.ts', 'runner/**/*.ts'],
      reporter: ['text-summary', 'json-summary'],
      thresholds: { 'singer/**': { lines: 90 }, 'http/**': { lines: 90 } },
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'tapworks',
          include: ['test/**/*.test.ts'],
          exclude: ['test/soak/**', 'test/system/**', 'test/interop/**', ...(hostile ? INDIFFERENT : [])],
        },
      },
      { extends: true, test: { name: 'soak', include: soak ? ['test/**/*.soak.test.ts'] : [] } },
      {
        extends: true,
        // The blocks of docs/ are here as well, because here every program that they use must be there.
        test: { name: 'system', include: system ? ['test/system/**/*.test.ts', 'test/docs/commands.test.ts'] : [] },
      },
      { extends: true, test: { name: 'interop', include: interop ? ['test/interop/**/*.test.ts'] : [] } },
    ],
  },
});
