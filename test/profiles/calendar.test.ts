/** Days, seconds and back, against the one calendar that Node has. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isDay, momentAt, secondsOf, written } from '../../profiles/calendar.ts';

const SECONDS = fc.integer({ min: Date.UTC(1, 0, 1) / 1000 - 1899 * 31_556_952, max: Date.UTC(9999, 11, 31) / 1000 });

test('a count of seconds is the moment that it counts to', () => {
  fc.assert(
    fc.property(SECONDS, (seconds) => {
      const moment = momentAt(seconds);
      expect(secondsOf(moment)).toBe(seconds);
      if (moment.year < 1) return;
      expect(`${written(moment, 'T')}.000Z`).toBe(new Date(seconds * 1000).toISOString());
      expect(isDay(moment.year, moment.month, moment.day)).toBe(true);
    }),
  );
});

test('a day exists if and only if it is a day of its month', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9999 }), fc.nat(14), fc.nat(33), (year, month, day) => {
      const date = new Date(0);
      date.setUTCFullYear(year, month - 1, day);
      const same = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
      expect(isDay(year, month, day)).toBe(same);
    }),
  );
});

test('the hour 24 is the midnight that ends the day', () => {
  const moment = { year: 2024, month: 12, day: 31, hour: 24, minute: 0, second: 0, fraction: '' };
  expect(written(moment)).toBe('2025-01-01 00:00:00');
});
