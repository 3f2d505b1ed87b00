import { describe, expect, test } from 'vitest';
import { Roll } from '../../simulators/manageengine/roll.ts';

const first = () => 0;

describe.each([
  ['a range', () => Roll.range(10, 20)],
  ['a list', () => Roll.of([10, 11, 12, 13, 14, 15, 16, 17, 18, 19])],
])('%s', (_name, make) => {
  test('length, total, membership and slices', () => {
    const roll = make();
    expect([roll.length, roll.total]).toEqual([10, 10]);
    expect([roll.has(9), roll.has(10), roll.has(19), roll.has(20)]).toEqual([false, true, true, false]);
    expect(roll.slice(3, 5)).toEqual([13, 14]);
    expect(roll.slice(8, 30)).toEqual([18, 19]);
    expect(roll.slice(10, 12)).toEqual([]);
    expect(roll.members()).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  });

  test('members leave and join', () => {
    const roll = make();
    expect(roll.total).toBe(10);
    roll.remove(new Set([12, 99]));
    expect(roll.total).toBe(9);
    roll.add([20], 'end');
    roll.add([5], 'start');
    expect(roll.members()).toEqual([5, 10, 11, 13, 14, 15, 16, 17, 18, 19, 20]);
    expect([roll.has(12), roll.has(20)]).toEqual([false, true]);
  });

  test('a repeated entry counts once', () => {
    const roll = make();
    expect(roll.repeat(5, 2)).toBe(true);
    expect(roll.slice(3, 8)).toEqual([13, 14, 13, 14, 15]);
    expect([roll.length, roll.total]).toEqual([12, 10]);
    expect(roll.repeat(5, 2)).toBe(false);
    expect(roll.repeat(12, 2)).toBe(false);
  });

  test('an entry moves ahead', () => {
    const roll = make();
    expect(roll.move(4, first)).toBe(true);
    expect(roll.members().slice(0, 6)).toEqual([14, 10, 11, 12, 13, 15]);
    expect([roll.move(0, first), roll.move(10, first)]).toEqual([false, false]);
  });

  test('leavers are drawn whatever the order of the list', () => {
    const place = (_purpose: string, member: number) => (member * 7) % 11;
    const one = make();
    const other = make();
    other.move(6, first);
    expect(one.drawn(3, place)).toEqual(other.drawn(3, place));
    expect(one.drawn(3, place).size).toBe(3);
    expect(one.drawn(99, place).size).toBe(10);
  });
});
