import { defineConfig } from 'vitest/config';

const soak = process.env.TAPWORKS_SOAK === '1';
const system = process.env.TAPWORKS_SYSTEM === '1';

export default defineConfig({
  test: {
    pool: 'forks',
    // One worker more than vitest leaves for itself: most tests wait for servers and processes.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    coverage: {
      provider: 'v8',
      include: ['singer/**/*.ts', 'http/**/*.ts', 'taps/**/*.ts', 'targets/**/*.ts', 'runner/**/*.ts'],
      reporter: ['text-summary', 'json-summary'],
      thresholds: { 'singer/**': { lines: 90 }, 'http/**': { lines: 90 } },
    },
    projects: [
      {
        extends: true,
        test: { name: 'tapworks', include: ['test/**/*.test.ts'], exclude: ['test/soak/**', 'test/system/**'] },
      },
      { extends: true, test: { name: 'soak', include: soak ? ['test/**/*.soak.test.ts'] : [] } },
      {
        extends: true,
        // The blocks of docs/ are here as well, because here every program that they use must be there.
        test: { name: 'system', include: system ? ['test/system/**/*.test.ts', 'test/docs/commands.test.ts'] : [] },
      },
    ],
  },
});
