/** Settings of every SQL target, and the rules between them. */
import type { SettingFault, Settings, SettingsSchema } from '../singer/config.ts';

export type LoadMethod = 'upsert' | 'append-only' | 'overwrite';

/** What happens to a column whose property changes its type. */
export type SchemaChange = 'widen' | 'new_column' | 'fail';

/** Where a target keeps the state beside the rows. */
export interface StatePlace {
  readonly table: string;
  readonly key: string;
}

/** How and where rows go, with the defaults. */
export const SQL_SETTINGS: SettingsSchema['properties'] = {
  load_method: {
    enum: ['upsert', 'append-only', 'overwrite'],
    default: 'upsert',
    description:
      'upsert: replace the row that has the same key (streams without a key are appended). append-only: always add rows; tables get no primary key. overwrite: load into new tables and put them in the place of the old ones when the whole input was good.',
  },
  schema_change: {
    enum: ['widen', 'new_column', 'fail'],
    default: 'widen',
    description:
      'When a property changes to a type that its column cannot hold. widen: the column takes both. new_column: the old column stays as it is, a new one takes the new values. fail: the load ends. New properties get a column in any case.',
  },
};

/** Settings that keep the state in the database. */
export const STATE_SETTINGS: SettingsSchema['properties'] = {
  state_table: {
    type: 'string',
    pattern: '^[A-Za-z_][A-Za-z0-9_]{0,62}$',
    examples: ['tap_states'],
    description: 'Keep the last state in this table too, in the same transaction as the rows before it.',
  },
  state_key: {
    type: 'string',
    minLength: 1,
    examples: ['pmp'],
    description: 'Name of the row of state_table that this pipe has for itself.',
  },
};

/** Rules between settings that a schema cannot say. */
export function sqlRules({ state_table: table, state_key: key }: Settings): readonly SettingFault[] {
  if (table !== undefined && key === undefined) {
    return [{ setting: 'state_key', problem: 'is missing: state_table needs it', example: '"pmp"' }];
  }
  if (key !== undefined && table === undefined) {
    return [{ setting: 'state_table', problem: 'is missing: state_key names a row of it', example: '"tap_states"' }];
  }
  if (typeof table === 'string' && /^(sqlite|pg|_tapworks)_/i.test(table)) {
    return [
      {
        setting: 'state_table',
        problem: 'begins like a table of the database or of tapworks itself',
        example: '"tap_states"',
      },
    ];
  }
  return [];
}

/** The place that the settings name, if any. */
export function statePlace({ state_table: table, state_key: key }: Settings): StatePlace | undefined {
  return typeof table === 'string' && typeof key === 'string' ? { table, key } : undefined;
}
