/** Rules for tests: those of a naive column that reads slash dates as its setting says. */
import type { ColumnType } from '../../profiles/classes.ts';
import type { ConversionRules } from '../../profiles/conversion.ts';

export function rulesFor(type: ColumnType, more: Partial<ConversionRules> = {}): ConversionRules {
  return {
    type,
    slash: { order: 'DMY', basis: 'assumed' },
    naive: true,
    zone: undefined,
    spelling: undefined,
    range: undefined,
    maxChars: undefined,
    nul: 'strip',
    utf8: 'reject',
    ...more,
  };
}
