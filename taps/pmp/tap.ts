/** `tap-pmp`: ManageEngine Patch Manager Plus. */
import { TAP_CAPABILITIES, type Tap } from '../../singer/stream.ts';
import { BOOKKEEPING } from '../manageengine/bookkeeping.ts';
import { type Connection, connect } from '../manageengine/connection.ts';
import { withoutPersonalFields } from '../manageengine/personal.ts';
import { SETTINGS, settingRules } from '../manageengine/settings.ts';
import { readSnapshot } from '../manageengine/snapshot.ts';
import { actionsFor, stateOf } from '../manageengine/status.ts';
import { STREAMS } from './streams.ts';

export const tap: Tap<Connection> = {
  name: 'tap-pmp',
  description: 'ManageEngine Patch Manager Plus: systems, patches and policies, resumable page by page',
  settings: { properties: SETTINGS },
  capabilities: TAP_CAPABILITIES,
  rules: settingRules,
  streams: [...STREAMS, ...BOOKKEEPING],
  adjust: withoutPersonalFields,
  state: stateOf(STREAMS),
  actions: actionsFor(STREAMS),
  connect,
  read: (connection, request, run) => readSnapshot('tap-pmp', STREAMS, connection, request, run),
};
