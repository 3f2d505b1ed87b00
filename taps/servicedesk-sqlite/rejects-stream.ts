/** What is said of a value or a row that was set aside: the stream of rejects. */
import type { StreamDeclaration } from '../../singer/stream.ts';

/** Its name. */
export const REJECTS = '_sd_rejects';

const text = { type: 'string' };
const textOrNull = { type: ['null', 'string'] };

export const REJECTS_STREAM: StreamDeclaration = {
  name: REJECTS,
  key: ['reject_id'],
  replication: 'FULL_TABLE',
  selectedByDefault: true,
  automatic: true,
  schema: {
    type: 'object',
    required: ['reject_id'],
    properties: {
      reject_id: { ...text, description: 'Reading, stream, row and column; the same if a run is resumed.' },
      run_id: { ...text, description: 'The version of the reading.' },
      gate: { ...text, description: 'What set it aside: tap.' },
      stream: text,
      table: text,
      rowid: { type: ['null', 'integer'], description: 'Row number in the file, where the table has one.' },
      key: { type: ['null', 'object'], description: 'The key of the row, as it is stored.' },
      scope: { ...text, description: 'row: it was not passed on. value: the row was, with null in this column.' },
      column: text,
      reason: text,
      rule: { ...text, description: 'The type that the column was decided to have.' },
      severity: text,
      storage_class: { ...text, description: 'As SQLite names it: null, integer, real, text, blob.' },
      raw_sha256: textOrNull,
      raw_len: { type: ['null', 'integer'], description: 'Bytes.' },
      raw_b64: { ...textOrNull, description: 'The bytes of the value, unless reject_raw is false.' },
      record: { type: ['null', 'object'], description: 'The row as it is stored; only for scope row.' },
      at: { type: 'string', format: 'date-time' },
    },
  },
};
