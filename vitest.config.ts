import { defineConfig } from 'vitest/config';

const soak = process.env.TAPWORKS_SOAK === '1';
const system = process.env.TAPWORKS_SYSTEM === '1';
const interop = process.env.TAPWORKS_INTEROP === '1';
const hostile = process.env.TAPWORKS_HOSTILE === '1';

/**
 * Left out of hostile mode, in which a test costs up to fifty times as much, because a byte and a row at a time make no
 * difference there. What a test file has both kinds of says so itself. Everything else is in.
 */
const INDIFFERENT = [
  // Neither a vendor's reply nor a load is read.
  'test/{bench,docs,postgres,profiles,repository,simulators,singer}/**',
  'test/taps/{customers,dcapi-schemas,notices,pmp-fields,pmp-personal,pmp-records,pmp-schemas}.test.ts',
  'test/targets/{columns,mutations,names}.test.ts',
  // Bodies come in pieces of the test's own choice, or none is read.
  'test/http/{body,changes-state,connection,judge,key-set,numbered-pages-*,oauth,slack,spool,stop,waits}.test.ts',
  // Decided after the replies were read: what is logged and told, what is counted, which bookmark is whose.
  'test/taps/{dcapi,pmp}-{cron,drift,exit-codes,msp,slack,status,versions}.test.ts',
  'test/taps/pmp-batches.test.ts',
  // Command lines, counts and queries; the other files there kill pipes and cut replies off.
  'test/pipe/{acceptance,compliance,dcapi-sweeps,dcapi-vanished,demo,review}.test.ts',
  // Names, types of columns, rights, locks and readers. A release is not seen before all of its rows are there.
  'test/targets/postgres-{names,types,releases-carry,releases-readers,releases-waiting}.test.ts',
];

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
          // The commands of docs/ need programs that npm does not bring: they are of the system's tests.
          exclude: ['test/{soak,system,interop}/**', 'test/docs/commands.test.ts', ...(hostile ? INDIFFERENT : [])],
        },
      },
      { extends: true, test: { name: 'soak', include: soak ? ['test/**/*.soak.test.ts'] : [] } },
      {
        extends: true,
        // Here every program that the blocks of docs/ use must be there.
        test: { name: 'system', include: system ? ['test/system/**/*.test.ts', 'test/docs/commands.test.ts'] : [] },
      },
      { extends: true, test: { name: 'interop', include: interop ? ['test/interop/**/*.test.ts'] : [] } },
    ],
  },
});
