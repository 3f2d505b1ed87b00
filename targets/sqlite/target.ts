/** The SQLite target: its settings. The native driver is loaded only when a run connects, because `--about` must be quick. */
import { LOADING_SETTINGS, type Target } from '../../singer/sink.ts';
import { type LoadMethod, type SchemaChange, SQL_SETTINGS, STATE_SETTINGS, sqlRules, statePlace } from '../settings.ts';

export const target: Target = {
  name: 'target-sqlite',
  description: 'Loads Singer streams into an SQLite file: one table per stream, inserted or updated by key.',
  capabilities: [
    'about',
    'activate-version',
    'batch',
    'soft-delete',
    'hard-delete',
    'structured-logging',
    'validate-records',
  ],
  settings: {
    type: 'object',
    required: ['database'],
    properties: {
      database: {
        type: 'string',
        // The driver trims a path: a name that begins or ends with a blank would become another file.
        pattern: '^\\S(.*\\S)?$',
        minLength: 1,
        examples: ['pmp.db'],
        description: 'The SQLite file. It is created, readable by its owner only, when it does not exist.',
      },
      ...SQL_SETTINGS,
      ...LOADING_SETTINGS,
      synchronous: {
        enum: ['off', 'normal', 'full', 'extra'],
        default: 'full',
        description:
          'How hard SQLite makes sure that a commit is on the disk. Below full, a power cut may take back rows whose state was already confirmed.',
      },
      ...STATE_SETTINGS,
    },
  },
  rules: sqlRules,
  async connect(settings, run) {
    const { connectSqlite } = await import('./sink.ts');
    return connectSqlite(
      {
        database: settings.database as string,
        loadMethod: settings.load_method as LoadMethod,
        schemaChange: settings.schema_change as SchemaChange,
        hardDelete: settings.hard_delete === true,
        synchronous: settings.synchronous as 'off' | 'normal' | 'full' | 'extra',
        state: statePlace(settings),
      },
      run,
    );
  },
  async readState(settings) {
    const { storedState } = await import('./stored-state.ts');
    const place = statePlace(settings);
    return place === undefined ? undefined : storedState(settings.database as string, place);
  },
};
