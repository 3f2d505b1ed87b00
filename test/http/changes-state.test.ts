import { describe, expect, it } from 'vitest';
import { broughtAll, type ChangesState, nextReading, READING_START } from '../../http/changes-state.ts';

const HOUR = 3_600_000;
const NOON = Date.UTC(2026, 0, 15, 12);

const whole: ChangesState = {
  ...READING_START,
  pages: 3,
  rows: 60,
  total: 60,
  newest: NOON - 5 * HOUR,
  begun_at: NOON,
  finished: true,
};

describe('the reading after a finished one', () => {
  it('asks from the latest change on, that instant included', () => {
    expect(nextReading(whole)).toEqual({ ...READING_START, changed_since: NOON - 5 * HOUR - 1, whole_at: NOON });
  });

  it('asks from an hour before it at the latest: rows may have changed behind its cursor', () => {
    expect(nextReading({ ...whole, newest: NOON + 30 * HOUR })?.changed_since).toBe(NOON - HOUR);
  });

  it('asks from the same instant again when nothing had changed', () => {
    const still = { ...whole, changed_since: NOON - 9 * HOUR, newest: null, rows: 0, total: 0, whole_at: 5 };
    expect(nextReading(still)).toMatchObject({ changed_since: NOON - 9 * HOUR, whole_at: 5 });
  });

  it('of changes keeps the time of the last whole one', () => {
    expect(nextReading({ ...whole, changed_since: 1, whole_at: 5 })?.whole_at).toBe(5);
  });
});

describe('everything is read again', () => {
  it.each([
    ['when it stopped half-way', { finished: false, cursor: 'here' }],
    ['when rows were missing', { rows: 59 }],
  ])('%s', (_when, change) => {
    expect(broughtAll({ ...whole, ...change })).toBe(false);
    expect(nextReading({ ...whole, ...change })).toBeUndefined();
  });
});

it('a reading of changes that stopped half-way is asked for again', () => {
  const half = { ...whole, changed_since: 7, whole_at: 5, finished: false, cursor: 'here' };
  expect(nextReading(half)).toEqual({ ...READING_START, changed_since: 7, whole_at: 5 });
});
