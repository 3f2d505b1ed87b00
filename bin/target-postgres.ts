#!/usr/bin/env node
import { start } from './start.ts';

await start({
  name: 'target-postgres',
  kind: 'computes',
  plugin: async () => (await import('../targets/postgres/target.ts')).target,
  run: async (target, io) => (await import('../singer/run-target.ts')).runTarget(target, io),
});
