#!/usr/bin/env node
import { start } from './start.ts';

await start({
  name: 'target-sqlite',
  kind: 'computes',
  plugin: async () => (await import('../targets/sqlite/target.ts')).target,
  run: async (target, io) => (await import('../singer/run-target.ts')).runTarget(target, io),
});
