/** Defects of names, numbers, ids and texts. */
import { type CellDefect, changed, kept, type Place, rejected } from './defect.ts';
import { LONGEST_TEXT } from './prose.ts';
import { Bytes, type Clean } from './rows.ts';

const comment = (column: string): Place => ({ table: 'comments', column });
const ticket = (column: string): Place => ({ table: 'tickets', column });
const timesheet = (column: string): Place => ({ table: 'timesheets', column });

/** Texts that stay ordinary when a few characters are added. */
const isOrdinary = (clean: Clean) => String(clean).length < LONGEST_TEXT / 2;

/** The text with something in its middle. */
function withInside(clean: Clean, piece: string): string {
  const text = String(clean);
  // Between two halves of one character the text would no longer be the same without the piece.
  const middle = text.indexOf(' ', text.length / 2);
  const at = middle === -1 ? text.length : middle;
  return text.slice(0, at) + piece + text.slice(at);
}

const HOURS_GONE_WRONG = [
  () => kept(0),
  () => kept(-1),
  () => kept(25),
  () => changed('decimal_comma', '7,5', 7.5),
  () => rejected('not_a_number', 'half a day'),
] as const;

const TRUTHS: Readonly<Record<string, readonly string[]>> = { yes: ['Y', ' yes ', 'TRUE'], no: ['N', ' no ', 'FALSE'] };

export const VALUE_DEFECTS: readonly CellDefect[] = [
  {
    id: 'D11',
    name: 'null_token',
    phase1: 0,
    dirty: 200,
    places: [
      comment('user_name'),
      ticket('TKT-Actual Response Date'),
      ticket('TKT-Actual Resolution Date'),
      ticket('TKT-Closure Date'),
      ticket('TKT-SLA Closure Date'),
    ],
    strikes: 'empty',
    injure: (_clean, { nth, place }) => {
      // The places take turns, so the token changes once per round.
      const token = ['nan', 'NaT', 'None', 'N/A'][Math.floor(nth / 5) % 4] ?? 'nan';
      return place.column === 'user_name' ? kept(token) : changed('null_token', token, null);
    },
  },
  {
    id: 'D13',
    name: 'empty_number',
    phase1: 0,
    dirty: 300,
    // The ticket id of a timesheet is a number for the same people, but it is never missing.
    places: [timesheet('TS-Hours'), ticket('TKT-Parent ID')],
    strikes: 'empty',
    injure: () => changed('empty', '', null),
  },
  {
    id: 'D25',
    name: 'float_id',
    phase1: 0,
    dirty: 800,
    places: [comment('ticket_id')],
    strikes: 'filled',
    injure: (clean) => changed('float_id', `${clean}.0`, clean),
  },
  {
    id: 'D26',
    name: 'integer_overflow',
    phase1: 0,
    dirty: 3,
    places: [ticket('TKT-Account Id')],
    strikes: 'filled',
    injure: () => rejected('bigint_overflow', 9.3e18),
  },
  {
    id: 'D27',
    name: 'bad_hours',
    phase1: 0,
    dirty: 80,
    places: [timesheet('TS-Hours')],
    strikes: 'filled',
    injure: (_clean, { nth }) => (HOURS_GONE_WRONG[nth % HOURS_GONE_WRONG.length] ?? HOURS_GONE_WRONG[0])(),
  },
  {
    id: 'D28',
    name: 'nul_byte',
    phase1: 0,
    dirty: 12,
    places: [comment('comment_text')],
    strikes: 'filled',
    suits: isOrdinary,
    injure: (clean) => changed('nul_byte', withInside(clean, '\0'), clean),
  },
  {
    id: 'D29',
    name: 'invalid_utf8',
    phase1: 0,
    dirty: 12,
    places: [ticket('TKT-Description')],
    strikes: 'filled',
    injure: (clean) => {
      const broken = Buffer.from([0xc3, 0x28, 0xff, 0xfe]);
      return rejected('invalid_utf8', new Bytes('text', Buffer.concat([Buffer.from(String(clean)), broken])));
    },
  },
  {
    id: 'D30',
    name: 'long_text',
    phase1: 0,
    dirty: 5,
    places: [comment('comment_text')],
    strikes: 'filled',
    injure: (_clean, { stream, author }) => kept(author.exactly(stream, LONGEST_TEXT + 1 + stream.whole(500))),
  },
  {
    id: 'D31',
    name: 'many_newlines',
    phase1: 0,
    dirty: 5,
    places: [comment('comment_text')],
    strikes: 'filled',
    suits: isOrdinary,
    injure: (clean, { stream }) => kept(withInside(clean, '\n'.repeat(100 + stream.whole(50)))),
  },
  {
    id: 'D32',
    name: 'boolean_variant',
    phase1: 0,
    dirty: 100,
    places: [ticket('TKT-SLA Met')],
    strikes: 'filled',
    injure: (clean, { nth }) => changed('boolean', TRUTHS[String(clean)]?.[nth % 3] ?? 'Y', clean),
  },
  {
    id: 'D34',
    name: 'blob_in_text',
    phase1: 0,
    dirty: 3,
    places: [ticket('TKT-Solution')],
    strikes: 'filled',
    injure: (_clean, { nth }) =>
      rejected(
        'blob_in_text',
        new Bytes('blob', Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, nth & 255])),
      ),
  },
  {
    id: 'D36',
    name: 'text_in_real_id',
    phase1: 0,
    dirty: 20,
    places: [ticket('TKT-Parent ID')],
    strikes: 'filled',
    injure: () => changed('null_token', 'none', null),
  },
  {
    id: 'B01',
    name: 'corrupt_created',
    phase1: 0,
    dirty: 0,
    places: [ticket('TKT-Created Time')],
    strikes: 'filled',
    injure: (_clean, { nth }) => rejected('unparseable_date', `CORRUPT-${nth + 1}`),
  },
];
