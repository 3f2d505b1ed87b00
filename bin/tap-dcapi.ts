#!/usr/bin/env node
import { start } from './start.ts';

await start({
  name: 'tap-dcapi',
  kind: 'waits',
  plugin: async () => (await import('../taps/dcapi/tap.ts')).tap,
  run: async (tap, io) => (await import('../singer/run-tap.ts')).runTap(tap, io),
});
