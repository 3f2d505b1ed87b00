#!/usr/bin/env node
import { start } from './start.ts';

await start({
  name: 'tap-servicedesk-sqlite',
  kind: 'copies',
  plugin: async () => (await import('../taps/servicedesk-sqlite/tap.ts')).tap,
  run: async (tap, io) => (await import('../singer/run-tap.ts')).runTap(tap, io),
});
