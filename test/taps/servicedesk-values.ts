/** Values that SQLite keeps and that go wrong somewhere on their way to JSON, and the labels that columns may have. */
import type { JsonSchema } from '../../singer/messages.ts';

/** What is stored: bytes of a text come as they are, also when they are no UTF-8. */
export type Stored = null | bigint | number | string | { readonly text: Buffer } | { readonly blob: Buffer };

const bytes = (...codes: readonly number[]): Stored => ({ text: Buffer.from(codes) });
const blob = (hex: string): Stored => ({ blob: Buffer.from(hex, 'hex') });

const INTEGERS: readonly bigint[] = [
  0n,
  1n,
  -1n,
  7n,
  20_250_520n,
  20_250_231n,
  45_797n,
  1_747_730_520n,
  1_747_730_520_000n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 53n + 1n,
  -(2n ** 53n) - 1n,
  2n ** 63n - 1n,
  999_999_999_999_999n,
  1_000_000_000_000_001n,
];

const REALS: readonly number[] = [
  0,
  -0,
  1,
  -1,
  0.1,
  0.3,
  0.1 + 0.2,
  1 / 3,
  -7.5,
  4417,
  45_797.36,
  0.0001,
  0.00009999999999999999,
  1e-7,
  5e-324,
  2.2250738585072014e-308,
  1.7976931348623157e308,
  123_456_789 + 1 / 8.1,
  9_007_199_254_740_991,
  2 ** 53,

  999_999_999_999_999,
  999_999_999_999_999.9,
  1e15,
  1e21,
  1.5e300,
  9.3e18,
  -(2 ** 63),
  2 ** 63,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
];

const NUMBER_TEXTS: readonly string[] = [
  ...['0', '-0', '+5', '5', ' 5', '5 ', '007', '0x1F', '1_000', '1 000', '1,234', '7,5', '1e5', '1E400', '.5', '5.'],
  ...['3700421.0', '3700421.00', '-0.0', '9007199254740993', '9223372036854775807', '9223372036854775808', '1.10'],
  ...['123456789012345678901234567890', '0.1000000000000000055511151231257827', '\u0665', 'NaN', 'Infinity', '-inf'],
];

const DATE_TEXTS: readonly string[] = [
  ...['2025-05-20 08:42:00', '2025-05-20T08:42:00', '2025-05-20T08:42:00Z', '2025-05-20T08:42:00z', '2025-05-20'],
  ...['2025-05-20 08:42', '2025-05-20 08:42:00.5', '2025-05-20 08:42:00.000', '2025-05-20T08:42:00+10:00'],
  ...['2025-05-20 08:42:00Z', '2025-05-20 08:42:00  ', ' 2025-05-20 08:42:00', '2025-05-20 8:42:00', '2025-5-20'],
  ...['2025-02-31 10:00:00', '2025-02-29 00:00:00', '2024-02-29 00:00:00', '2025-04-31', '2025-05-20 24:00:00'],
  ...['2025-12-31 24:00:00', '9999-12-31 24:00:00', '9999-12-31 23:59:59', '10000-01-01 00:00:00', '24:00:00'],
  ...['0000-01-01 00:00:00', '0000-00-00 00:00:00', '0000-00-00', '0001-01-01 00:00:00', '-0100-01-01 00:00:00'],
  ...['0000-01-01T00:00:00Z', '-0100-01-01T00:00:00Z', '2025-05-20 08:42:60', '2025-05-20 25:99:00', '12:30', 'now'],
  ...['20/05/2025 8:42', '2/07/2025 16:21', '05/20/2025', '31/02/2025', '20/05/25', '2025/05/20', 'today', 'epoch'],
  ...['2460815.5', '20250520', '45797.36', '2025-05-20 08:42:00 UTC', '2025-W21-2', 'subsec', 'infinity'],
];

const TEXTS: readonly string[] = [
  ...['', ' ', '\t', '   ', 'a', 'A', 'yes', 'no', 'YES', 'Yes', ' yes ', 'y', 'TRUE', 'false', 'maybe', 'nan', 'N/A'],
  ...['"', "'", '\\', '\\u0000', '\\n', '/', '</script>', '{"a":1}', '[1]', 'null', 'true', '\u2028', '\u2029', '\x7f'],
  ...['\u0001\u0002\u001f', '\b\f\n\r\t\v', 'Gr\u00fc\u00dfe', '\u{1f600}', 'e\u0301', '\ufeff', '\uffff', '\ufffd'],
  ...['line\r\nline', 'x'.repeat(33_000), '\u00a0padded\u00a0', "Robert'); DROP TABLE t;--"],
];

const BLOBS: readonly Stored[] = ['', '00', '01', '02', '0c', '1361', '4b0c', 'ff', '796573', '3132', 'c328'].map(blob);

/** Texts for which the bytes count: NUL characters, and what is no UTF-8. */
const BYTES: readonly Stored[] = [
  // Its amount is no integer of SQLite.
  -(2n ** 63n),
  bytes(0x00),
  bytes(0x61, 0x00, 0x62),
  Buffer.from('2025-05-20 08:42:00\0').toString(),
  '12\0',
  'yes\0',
  bytes(0xff),
  bytes(0xc3, 0x28),
  bytes(0x61, 0xc3),
  // What a half of a surrogate pair would be.
  bytes(0xed, 0xa0, 0x80),
  bytes(0xed, 0xb0, 0x80),
  // Slash and NUL in too many bytes.
  bytes(0xc0, 0xaf),
  bytes(0xc0, 0x80),
  bytes(0xf5, 0x80, 0x80, 0x80),
  bytes(0xef, 0xbf, 0xbd),
];

/** Those that SQLite itself may write a line of, then those whose bytes send their neighbours the plain way as well. */
export const ORDINARY: readonly Stored[] = [
  null,
  ...INTEGERS,
  ...REALS,
  ...NUMBER_TEXTS,
  ...DATE_TEXTS,
  ...TEXTS,
  ...BLOBS,
];
export const BYTEWISE = BYTES;

/** Each gives its column one of SQLite's affinities, a few against what they look like. */
export const DECLARED: readonly string[] = [
  ...['INTEGER', 'INT', 'BIGINT', 'REAL', 'DOUBLE PRECISION', 'NUMERIC', 'DECIMAL(10,2)', 'BOOLEAN'],
  ...['TEXT', 'VARCHAR(5)', 'CLOB', 'NCHAR(3)', 'BLOB', '', 'TIMESTAMP', 'DATE', 'DATETIME', 'JSON'],
  ...['POINT', 'CHARINT', 'FLOATING POINT', 'GEOMETRY', 'BLOBTEXT', 'STRING'],
];

export const COLLATIONS = ['', 'COLLATE NOCASE', 'COLLATE RTRIM'] as const;

/** What a column may have been decided to hold. */
export const TYPES: { readonly [name: string]: JsonSchema } = {
  integer: { type: ['null', 'integer'] },
  number: { type: ['null', 'number'] },
  text: { type: ['null', 'string'] },
  'yes or no': { type: ['null', 'string'], 'x-sd': { yes_no: ['yes', 'no'] } },
  'Y or N': { type: ['null', 'string'], 'x-sd': { yes_no: ['Y', 'N'] } },
  'naive time': { type: ['null', 'string'], format: 'date-time', 'x-sd': { naive: true } },
  'naive time in MDY': { type: ['null', 'string'], format: 'date-time', 'x-sd': { naive: true, date_order: 'MDY' } },
  'naive time of both orders': {
    type: ['null', 'string'],
    format: 'date-time',
    'x-sd': { naive: true, date_order: 'conflict' },
  },
  instant: { type: ['null', 'string'], format: 'date-time', 'x-sd': { naive: false } },
};

export const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** SQL of a marker for a value, and what to bind to it. */
export function bound(value: Stored): readonly [marker: string, value: null | bigint | number | string | Buffer] {
  if (typeof value !== 'object' || value === null) return ['?', value];
  return 'text' in value ? ['CAST(? AS TEXT)', value.text] : ['?', value.blob];
}
