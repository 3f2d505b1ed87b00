import { startPlex } from '../../simulators/plex/server.ts';
import type { Json } from '../../singer/lossless.ts';
import type { Closing, Tap } from '../../singer/stream.ts';
import { tap } from '../../taps/plex/tap.ts';
import { HOSTILE } from '../contract/tap/scene.ts';
import { tapContract } from '../contract/tap.ts';

/**
 * All but `workcenter_status`: its rows are observations with the time of the run in their key, so no two runs bring the
 * same ones.
 */
const STREAMS = tap.streams.map(({ name }) => name).filter((name) => name !== 'workcenter_status');
/** A byte at a time the long histories take minutes; these are lists, children, histories and both APIs. */
const HOSTILE_STREAMS = [
  'workcenters',
  'parts',
  'boms',
  'jobs',
  'wip',
  'scrap_entries',
  'specifications',
  'checksheets',
];

tapContract({
  name: 'tap-plex',
  tap: tap as unknown as Tap<Closing>,
  async open(clock) {
    const simulator = await startPlex({ profile: 'tiny', now: () => clock.now() });
    // Data stay as they are, whatever the runs wait.
    simulator.site.configure({ clock: 'stands', calls_per_minute: 0 });
    if (HOSTILE) simulator.site.addFault({ action: { type: 'drip', bytes: 64, ms: 0 } });
    return {
      settings: {
        ...(simulator.config as Readonly<Record<string, Json>>),
        enable_quality: true,
        enable_performance: true,
        include_employee_names: true,
        streams: HOSTILE ? HOSTILE_STREAMS : STREAMS,
      },
      requests: () => simulator.site.log.entries.length,
      close: () => simulator.close(),
    };
  },
  wrong: {
    settings: { base_url: 'nowhere', requests_per_minute: 0, api_key: null, max_attempt: 2 },
    names: ['base_url', 'requests_per_minute', 'api_key', 'did you mean "max_attempts"'],
  },
  misfit: { state: { bookmarks: { boms: { pendingPartIds: 'many' } } }, path: '/bookmarks/boms' },
  excuses: {
    'a deselected property is in no schema and in no record; keys stay':
      'the case deselects bookmark properties too, which are automatic in a catalog; plex-streams.test.ts has it without them',
    'a run from the last state makes no request and writes nothing':
      'Plex tells no changes: each run reads a lookback, and lists that cannot be filtered',
  },
});
