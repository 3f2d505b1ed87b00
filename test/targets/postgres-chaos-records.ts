/** What the loads that are broken are sent: records with keys, twice over in two versions, and the same again without a key. */
import { lines } from '../contract/target/load.ts';

export const RECORDS = 2_000;
const KEYS = 700;
export const STATE_EVERY = 40;
const FORMER = 1_769_839_200;
export const PRESENT = 1_769_925_600;

const SCHEMAS = [
  {
    type: 'SCHEMA',
    stream: 'users',
    schema: { properties: { id: { type: 'integer' }, seq: { type: 'integer' }, name: { type: ['null', 'string'] } } },
    key_properties: ['id'],
  },
  // Rows without a key count how often each record was stored.
  { type: 'SCHEMA', stream: 'log', schema: { properties: { seq: { type: 'integer' } } }, key_properties: [] },
];

/** The record at a place of the stream: most keys come several times, some of the former reading never again. */
export const userAt = (seq: number) => ({
  id: (seq * 7) % KEYS,
  seq,
  name: seq % 5 === 0 ? null : `user\t\\N ${seq} ${'x'.repeat((seq * 13) % 300)}`,
});

const user = (record: object, version: number) => ({ type: 'RECORD', stream: 'users', record, version });

/** What a tap would send from a state: the records behind it, and at the end that all others have gone. */
export function messagesFrom(from: number): string {
  const rest: unknown[] = [...SCHEMAS];
  for (let seq = from + 1; seq <= RECORDS; seq += 1) {
    rest.push(user(userAt(seq), PRESENT), { type: 'RECORD', stream: 'log', record: { seq } });
    if (seq % STATE_EVERY === 0) rest.push({ type: 'STATE', value: { seq } });
  }
  if (from <= RECORDS) rest.push({ type: 'ACTIVATE_VERSION', stream: 'users', version: PRESENT });
  rest.push({ type: 'STATE', value: { seq: RECORDS + 1 } });
  return lines(...rest);
}

/** An earlier reading: every second key, and some that the later one does not have. */
export const FORMER_MESSAGES = lines(
  ...SCHEMAS,
  ...Array.from({ length: KEYS + 200 }, (_, id) => id)
    .filter((id) => id % 2 === 0)
    .map((id) => user({ id, seq: 0, name: 'former' }, FORMER)),
);
