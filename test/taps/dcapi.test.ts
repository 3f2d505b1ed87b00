import { startManageEngine } from '../../simulators/manageengine/server.ts';
import type { Closing, Tap } from '../../singer/stream.ts';
import { tap } from '../../taps/dcapi/tap.ts';
import { HOSTILE } from '../contract/tap/scene.ts';
import { tapContract } from '../contract/tap.ts';

tapContract({
  name: 'tap-dcapi',
  tap: tap as unknown as Tap<Closing>,
  async open(clock) {
    const simulator = await startManageEngine({ profile: 'small', now: () => clock.now() });
    const tenant = simulator.tenant();
    // The probed streams, too, have rows here.
    tenant.configure({ vuln: 'on' });
    if (HOSTILE) {
      // Two pages of systems, three of patches and of vulnerabilities: each byte costs a turn of the server and the tap.
      tenant.shrink('dcapi_systems', 160);
      tenant.shrink('dcapi_patches', 250);
      tenant.shrink('dcapi_vulnerabilities', 36);
      tenant.configure({ chunk_bytes: 1 });
    }
    return {
      settings: {
        ...tenant.config,
        snapshot_id: 7,
        pages_per_run: 0,
        checkpoint_pages: 1,
        page_size: HOSTILE ? 4 : 60,
      },
      requests: () => tenant.requests.length,
      close: () => simulator.close(),
    };
  },
  wrong: {
    settings: { base_url: 'nowhere', pages_per_run: -1, client_secret: null, max_attempt: 2 },
    names: ['base_url', 'pages_per_run', 'client_secret', 'did you mean "max_attempts"'],
  },
  misfit: { state: { bookmarks: { dcapi_systems: { gaps: 'many' } } }, path: '/bookmarks/dcapi_systems' },
  excuses: {},
});
