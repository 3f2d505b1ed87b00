#!/usr/bin/env node
import { start } from './start.ts';

await start({
  name: 'tapworks',
  kind: 'computes',
  plugin: async () => ({
    description: 'Pipes of taps and targets with state kept for you, demos and simulators',
    settings: { properties: {} },
    capabilities: ['about'],
  }),
  run: async (_plugin, io) => (await import('../runner/tapworks.ts')).runTapworks(io),
});
