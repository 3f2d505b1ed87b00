/** `tap-servicedesk-sqlite`: any SQLite file, table by table, with the types that its values really have. */
import { TAP_CAPABILITIES, type Tap } from '../../singer/stream.ts';
import { REJECTS_STREAM } from './rejects-stream.ts';
import { readingOf, SETTINGS, settingRules } from './settings.ts';
import type { Source } from './source.ts';
import { STATE } from './state.ts';
import type { Origin } from './tables.ts';

/** An open file and what discovery found in it. */
interface Connection {
  readonly source: Source;
  origins: readonly Origin[];
  close(): Promise<void>;
}

export const tap: Tap<Connection> = {
  name: 'tap-servicedesk-sqlite',
  description:
    'Any SQLite file, a ServiceDesk export above all: every table read exactly, with types decided by its values',
  settings: SETTINGS,
  capabilities: TAP_CAPABILITIES,
  rules: settingRules,
  streams: [REJECTS_STREAM],
  state: STATE,
  // What follows is loaded when a file is really read: --about must not wait for the SQLite driver.
  async connect(settings, { log }) {
    const { Source } = await import('./source.ts');
    const source = Source.open(readingOf(settings), log);
    return { source, origins: [], close: async () => source.close() };
  },
  async discover(connection, settings, wanted, run) {
    const { discover } = await import('./discovery.ts');
    const found = await discover(connection.source, readingOf(settings), wanted, run);
    connection.origins = found.map(({ origin }) => origin);
    return found.map(({ declaration }) => declaration);
  },
  // Columns that were not selected are never read, so nothing has to be taken out of records.
  adjust: (selected) => ({
    ...selected,
    declaration: { ...selected.declaration, schema: selected.schema },
  }),
  async *read(connection, request, run) {
    const { readTables } = await import('./read.ts');
    return yield* readTables(connection.source, connection.origins, request, run);
  },
};
