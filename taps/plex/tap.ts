/** `tap-plex`: what a plant on Plex Manufacturing Cloud makes, has and measures, from both of its APIs. */
import { TAP_CAPABILITIES, type Tap } from '../../singer/stream.ts';
import { type Connection, connect } from './connection.ts';
import { withoutEmployeeNames } from './names.ts';
import { printPlan } from './plan.ts';
import { readPlex, STATE_VERSION } from './read.ts';
import { SETTINGS, settingRules } from './settings.ts';
import { STREAMS } from './streams.ts';

export const tap: Tap<Connection> = {
  name: 'tap-plex',
  description:
    'Plex Manufacturing Cloud: parts, jobs, production, inventory, quality and OEE, from the REST and Data Source APIs',
  settings: SETTINGS,
  capabilities: TAP_CAPABILITIES,
  rules: settingRules,
  streams: STREAMS.map(({ declaration }) => declaration),
  adjust: withoutEmployeeNames,
  state: {
    version: STATE_VERSION,
    bookmarks: Object.fromEntries(STREAMS.map(({ declaration, checkpoint }) => [declaration.name, checkpoint])),
  },
  actions: {
    plan: { describe: 'Print how many calls and minutes the next run costs, without a request', act: printPlan },
  },
  connect,
  read: readPlex,
};
