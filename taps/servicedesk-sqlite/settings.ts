/** Settings of `tap-servicedesk-sqlite`, and what the program makes of them. */
import type { SettingFault, Settings, SettingsSchema } from '../../singer/config.ts';

export const SETTINGS: SettingsSchema = {
  required: ['database'],
  properties: {
    database: {
      type: 'string',
      minLength: 1,
      description: 'The SQLite file. It is opened for reading only and keeps every byte.',
      examples: ['servicedesk_tickets.db'],
    },
    streams: {
      type: 'array',
      items: { type: 'string' },
      minItems: 1,
      description: 'Tables to read (names or globs) instead of all of them; views only when named. A catalog wins.',
      examples: [['tickets', 'comment*']],
    },
    incremental: {
      type: 'object',
      additionalProperties: { type: 'string', minLength: 1 },
      description: 'Streams to read incrementally, with the column that says what is new. The others are read whole.',
      examples: [{ tickets: 'TKT-Modified Time' }],
    },
    profile_path: {
      type: 'string',
      minLength: 1,
      description: 'A profile.json that decides the types. Without it the tap looks at the values itself.',
      examples: ['profile.json'],
    },
    profile_sample: {
      type: 'integer',
      minimum: 0,
      default: 1000,
      description: 'Rows of each table to decide its types by, chosen all over the table; 0 reads all of them.',
    },
    slash_date_order: {
      type: 'string',
      enum: ['DMY', 'MDY'],
      default: 'DMY',
      description: 'What 2/07/2025 means in a column where no value proves it: day first or month first.',
    },
    source_timezone: {
      type: 'string',
      minLength: 1,
      description: 'Where the clock hangs that wrote the times. Without it times stay what that clock showed.',
      examples: ['Australia/Perth'],
    },
    snapshot: {
      type: 'string',
      enum: ['transaction', 'vacuum_into'],
      default: 'transaction',
      description:
        'How all tables come from one moment: one read transaction, or a private copy made first (for files whose writers must not wait).',
    },
    busy_timeout_ms: {
      type: 'integer',
      minimum: 0,
      maximum: 3_600_000,
      default: 30_000,
      description: 'How long to wait for another program that has locked the file.',
    },
    reject_policy: {
      type: 'string',
      enum: ['value', 'row', 'fail'],
      default: 'value',
      description:
        'What becomes of a value that does not fit its type: null in its place, the whole row set aside, or the end of the run. A bad key always sets its row aside.',
    },
    max_reject_ratio: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      default: 0.05,
      description: 'Share of the rows of a stream that may be set aside; more ends the run with exit code 3.',
    },
    rejects_path: {
      type: 'string',
      minLength: 1,
      description:
        'A file to which what was set aside is appended, one JSON object per line, beside stream _sd_rejects.',
      examples: ['rejects.jsonl'],
    },
    reject_raw: {
      type: 'boolean',
      default: true,
      description:
        'Keep the value and the row of what was set aside. With false only place, reason and a hash are kept.',
    },
    nul_policy: {
      type: 'string',
      enum: ['strip', 'replace', 'reject'],
      default: 'strip',
      description: 'NUL characters in texts: taken out, replaced by U+FFFD, or the value is set aside.',
    },
    utf8_policy: {
      type: 'string',
      enum: ['reject', 'replace', 'latin1'],
      default: 'reject',
      description: 'Texts that are no UTF-8: set aside, repaired by U+FFFD, or read as Latin-1.',
    },
    emit_rowid: {
      type: 'boolean',
      default: true,
      description: 'Add the row number of the file as _sd_rowid; it names the rows of a table that has no key.',
    },
    batch_state_every: {
      type: 'integer',
      minimum: 1,
      default: 10_000,
      description: 'Rows between two states.',
    },
    as_of: {
      type: 'string',
      format: 'date-time',
      description: 'No bookmark goes beyond this time, whatever dates rows bear; now unless it is set.',
      examples: ['2025-10-17T00:00:00Z'],
    },
  },
};

/** What `settings` say, by the names of the program. */
export interface Reading {
  readonly database: string;
  readonly incremental: { readonly [stream: string]: string };
  readonly profilePath: string | undefined;
  /** Rows per table; none: all. */
  readonly sample: number | undefined;
  readonly slashOrder: 'DMY' | 'MDY';
  readonly timezone: string | undefined;
  readonly snapshot: 'transaction' | 'vacuum_into';
  readonly busyMs: number;
  readonly rejectPolicy: 'value' | 'row' | 'fail';
  readonly maxRejectRatio: number;
  readonly rejectsPath: string | undefined;
  readonly rejectRaw: boolean;
  readonly nul: 'strip' | 'replace' | 'reject';
  readonly utf8: 'reject' | 'replace' | 'latin1';
  readonly emitRowid: boolean;
  readonly stateEvery: number;
  /** As it was written. */
  readonly asOf: string | undefined;
}

/** Settings that have passed the checks of their schema. */
export function readingOf(settings: Settings): Reading {
  const text = (name: string) => settings[name] as string | undefined;
  const sample = settings.profile_sample as number;
  return {
    database: settings.database as string,
    incremental: (settings.incremental ?? {}) as { readonly [stream: string]: string },
    profilePath: text('profile_path'),
    sample: sample === 0 ? undefined : sample,
    slashOrder: settings.slash_date_order as Reading['slashOrder'],
    timezone: text('source_timezone'),
    snapshot: settings.snapshot as Reading['snapshot'],
    busyMs: settings.busy_timeout_ms as number,
    rejectPolicy: settings.reject_policy as Reading['rejectPolicy'],
    maxRejectRatio: settings.max_reject_ratio as number,
    rejectsPath: text('rejects_path'),
    rejectRaw: settings.reject_raw as boolean,
    nul: settings.nul_policy as Reading['nul'],
    utf8: settings.utf8_policy as Reading['utf8'],
    emitRowid: settings.emit_rowid as boolean,
    stateEvery: settings.batch_state_every as number,
    asOf: text('as_of'),
  };
}

/** What a schema cannot say of settings. */
export function settingRules(settings: Settings): readonly SettingFault[] {
  const zone = settings.source_timezone;
  if (typeof zone !== 'string' || isZone(zone)) return [];
  return [{ setting: 'source_timezone', problem: 'is no time zone that Node knows', example: 'Australia/Perth' }];
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
