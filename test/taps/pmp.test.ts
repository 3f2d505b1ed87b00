import { startManageEngine } from '../../simulators/manageengine/server.ts';
import type { Closing, Tap } from '../../singer/stream.ts';
import { tap } from '../../taps/pmp/tap.ts';
import { HOSTILE } from '../contract/tap/scene.ts';
import { tapContract } from '../contract/tap.ts';

tapContract({
  name: 'tap-pmp',
  tap: tap as unknown as Tap<Closing>,
  async open(clock) {
    const simulator = await startManageEngine({ profile: 'small', now: () => clock.now() });
    const tenant = simulator.tenant();
    // The probed streams, too, have rows here.
    tenant.configure({ seed_paths: 'shape' });
    if (HOSTILE) {
      tenant.shrink('scandetails', 150);
      tenant.shrink('allpatches', 240);
      tenant.shrink('vulnerabilities', 33);
      // Byte by byte so many lists would take a minute; seven at a time still cut every value in pieces.
      tenant.configure({ chunk_bytes: 7 });
    }
    return {
      settings: {
        ...tenant.config,
        snapshot_id: 7,
        pages_per_run: 0,
        checkpoint_pages: 1,
        ...(HOSTILE && { page_size: 10 }),
      },
      requests: () => tenant.requests.length,
      close: () => simulator.close(),
    };
  },
  wrong: {
    settings: { base_url: 'nowhere', pages_per_run: -1, client_secret: null, max_attempt: 2 },
    names: ['base_url', 'pages_per_run', 'client_secret', 'did you mean "max_attempts"'],
  },
  misfit: { state: { bookmarks: { systems: { gaps: 'many' } } }, path: '/bookmarks/systems' },
  excuses: {},
});
