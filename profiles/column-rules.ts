/** From what a profile decided of a column to the rules by which its values are read. */
import type { Json } from '../singer/lossless.ts';
import type { ColumnProfile } from './artifact.ts';
import type { ConversionRules, NumberRange } from './conversion.ts';
import { propertySchema } from './json-schema.ts';
import type { TimeZone } from './time-zone.ts';

/** What whoever reads the table wants, beside what the profile decided. */
export interface ReadingSettings {
  /** Where the source's clock hangs; without it, times stay what the clock showed. */
  readonly zone?: TimeZone;
  readonly range?: NumberRange;
  readonly maxChars?: number;
  readonly nul?: ConversionRules['nul'];
  readonly utf8?: ConversionRules['utf8'];
}

/** The rules for a column of a profile. NUL characters are removed and bad UTF-8 is set aside unless said otherwise. */
export function columnRules(column: ColumnProfile, settings: ReadingSettings = {}): ConversionRules {
  const { zone, range, maxChars, nul = 'strip', utf8 = 'reject' } = settings;
  return {
    type: column.decided_type,
    slash: { order: column.date_order ?? 'DMY', basis: column.date_order_basis ?? 'assumed' },
    naive: column.naive && zone === undefined,
    zone,
    spelling: column.spelling ?? undefined,
    range,
    maxChars,
    nul,
    utf8,
  };
}

/** What to announce for a column. A time zone makes instants of what the profile could only take for clock times. */
export function columnSchema(column: ColumnProfile, zone?: TimeZone): { readonly [keyword: string]: Json } {
  if (column.decided_type !== 'timestamp' || zone === undefined || !column.naive) return column.json_schema;
  const dateOrder = (column.json_schema['x-sd'] as { readonly date_order?: string }).date_order ?? null;
  const { declared, confidence, key } = column;
  return propertySchema({
    type: 'timestamp',
    declared,
    confidence,
    naive: false,
    dateOrder,
    spelling: undefined,
    key,
  });
}
