#!/usr/bin/env node
import { start } from './start.ts';

await start({
  name: 'tap-plex',
  kind: 'waits',
  plugin: async () => (await import('../taps/plex/tap.ts')).tap,
  run: async (tap, io) => {
    const [{ runTap }, { withEnvironmentFiles }] = await Promise.all([
      import('../singer/run-tap.ts'),
      import('../taps/plex/environment-file.ts'),
    ]);
    return runTap(tap, withEnvironmentFiles(io));
  },
});
