import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { earlier, instant, sortable } from '../../taps/plex/dates.ts';
import { Keyring } from '../../taps/plex/keys.ts';

const RULE = { date: 'at', fields: ['at', 'who'] };
const DAY_BEFORE = '2026-03-13T09:26:53.5897932Z';

function keyOf(...values: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(values)).digest('hex').slice(0, 32);
}

test('a key is the print of its fields, with all digits of the date, and of how many equal ones came before', () => {
  const ring = new Keyring(RULE);
  ring.add({ at: '2026-03-14T06:12:00Z', who: null, note: 'b' });
  ring.add({ at: '2026-03-14T06:12:00Z', who: null, note: 'a' });
  const keyed = ring.rest();
  expect(keyed.map(({ key, row }) => [key, row.note])).toEqual([
    [keyOf('2026-03-14T06:12:00.0000000Z', null, 0), 'a'],
    [keyOf('2026-03-14T06:12:00.0000000Z', null, 1), 'b'],
  ]);
});

test('equal rows have keys of their own, also when an answer is not in the order of its dates', () => {
  const ring = new Keyring(RULE);
  const row = { at: '2026-03-14T06:12:00Z', who: 'x' };
  const keyed = [
    ...ring.add(row),
    ...ring.add({ at: '2026-03-14T07:00:00Z', who: 'y' }),
    ...ring.add(row),
    ...ring.rest(),
  ];
  expect(new Set(keyed.map(({ key }) => key)).size).toBe(3);
});

test('dates are compared as texts of seven digits', () => {
  expect(sortable('2026-03-14T09:26:53.5897932Z')).toBe('2026-03-14T09:26:53.5897932Z');
  expect(sortable('2026-03-14T09:26Z')).toBe('2026-03-14T09:26:00.0000000Z');
  for (const other of [
    '2026-03-14',
    '2026-03-14T09:26:53',
    '2026-03-14 09:26:53Z',
    '2026-03-14T09:26:53+00:00',
    7,
    null,
  ])
    expect(sortable(other)).toBeUndefined();
  expect(earlier('2026-03-14T09:26:53.5897932Z', 86_400_000)).toBe(DAY_BEFORE);
  expect(instant('2026-03-14T09:26:53.5897932Z')).toBe(Date.UTC(2026, 2, 14, 9, 26, 53, 589));
});
