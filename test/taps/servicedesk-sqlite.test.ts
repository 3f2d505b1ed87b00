/** The contract of taps, held against a file whose tables, types and keys are only found in it. */

import type { Settings } from '../../singer/config.ts';
import type { Closing, Run, Tap } from '../../singer/stream.ts';
import { discover } from '../../taps/servicedesk-sqlite/discovery.ts';
import { readingOf, SETTINGS } from '../../taps/servicedesk-sqlite/settings.ts';
import { Source } from '../../taps/servicedesk-sqlite/source.ts';
import { tap } from '../../taps/servicedesk-sqlite/tap.ts';
import { HOSTILE } from '../contract/tap/scene.ts';
import { tapContract } from '../contract/tap.ts';
import { generating } from '../simulators/servicedesk-files.ts';

const generated = generating();
// One file for all cases: whoever reads it leaves it as it is, and its times of change stand in the states.
const made = generated({ profile: 'clean', rows: HOSTILE ? 120 : 600, seed: 8 });
const quiet = { warn: () => undefined } as unknown as Run['log'];

tapContract({
  name: 'tap-servicedesk-sqlite',
  tap: tap as unknown as Tap<Closing>,
  async open() {
    const { file } = await made;
    const settings = { database: file, batch_state_every: HOSTILE ? 30 : 100, profile_sample: 0 };
    const defaults = Object.entries(SETTINGS.properties).flatMap(([name, node]) =>
      node.default === undefined ? [] : [[name, node.default]],
    );
    const reading = readingOf({ ...Object.fromEntries(defaults), ...settings } as Settings);
    const source = Source.open(reading, quiet);
    const run = { log: quiet, signal: new AbortController().signal } as unknown as Run;
    const found = await discover(source, reading, () => true, run);
    source.close();
    return {
      streams: found.map(({ declaration }) => declaration),
      settings,
      requests: () => 0,
      close: async () => undefined,
    };
  },
  wrong: {
    settings: {
      database: null,
      max_reject_ratio: 2,
      reject_policy: 'drop',
      source_timezone: 'Nowhere/Land',
      stream: 1,
    },
    names: ['database', 'max_reject_ratio', 'reject_policy', 'source_timezone', 'did you mean "streams"'],
  },
  misfit: { state: { bookmarks: { tickets: { version: 'last' } } }, path: '/bookmarks/tickets/version' },
  excuses: {
    'a run from the last state makes no request and writes nothing':
      'whole tables are read again each time; nothing but their rows would tell that they are the same',
  },
});
