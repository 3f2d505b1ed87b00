#!/usr/bin/env node
import { start } from './start.ts';

await start({
  name: 'tap-pmp',
  kind: 'waits',
  plugin: async () => (await import('../taps/pmp/tap.ts')).tap,
  run: async (tap, io) => (await import('../singer/run-tap.ts')).runTap(tap, io),
});
