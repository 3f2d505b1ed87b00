/** The SQLite target: its settings. The native driver is loaded only when a run connects, because `--about` must be quick. */
import { LOADING_SETTINGS, type Target } from '../../singer/sink.ts';

export const target: Target = {
  name: 'target-sqlite',
  description: 'Loads Singer streams into an SQLite file: one table per stream, inserted or updated by key.',
  capabilities: ['about', 'structured-logging', 'validate-records'],
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
      load_method: {
        enum: ['upsert', 'append-only'],
        default: 'upsert',
        description:
          'upsert: replace the row that has the same key (streams without a key are appended). append-only: always add rows; tables get no primary key.',
      },
      ...LOADING_SETTINGS,
      synchronous: {
        enum: ['off', 'normal', 'full', 'extra'],
        default: 'full',
        description:
          'How hard SQLite makes sure that a commit is on the disk. Below full, a power cut may take back rows whose state was already confirmed.',
      },
    },
  },
  async connect(settings, run) {
    const { connectSqlite } = await import('./sink.ts');
    return connectSqlite(
      {
        database: settings.database as string,
        appendOnly: settings.load_method === 'append-only',
        synchronous: settings.synchronous as 'off' | 'normal' | 'full' | 'extra',
      },
      run,
    );
  },
};
