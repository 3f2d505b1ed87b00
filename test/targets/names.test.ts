import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignNames, columnNameFor, tableNameFor } from '../../targets/names.ts';

const lower = (name: string) => name.toLowerCase();
const wanted = (names: readonly string[]) => new Map(names.map((name) => [name, columnNameFor(name)]));

describe('names', () => {
  it('keeps property names but for dots', () => {
    expect(['order', 'a.b.c', 'x\0y', 'a\ud800'].map(columnNameFor)).toEqual(['order', 'a__b__c', 'x_y', 'a\ufffd']);
  });

  it('keeps letters, digits and underscores of stream names', () => {
    expect(['user-events', 'Grüße 1', '🎉'].map(tableNameFor)).toEqual(['user_events', 'Grüße_1', '_']);
  });

  it('gives the plain name to the property that is spelled like it', () => {
    const names = assignNames(wanted(['a.b', 'a__b']), new Map(), [], lower);
    expect(names.get('a__b')).toBe('a__b');
    expect(names.get('a.b')).toMatch(/^a__b_[0-9a-f]{8}$/);
  });

  it('keeps known names, and never gives away one that is taken', () => {
    const names = assignNames(wanted(['ID', 'id', 'x']), new Map([['id', 'id']]), ['X'], lower);
    expect(names.get('id')).toBe('id');
    expect(names.get('ID')).toMatch(/^ID_/);
    expect(names.get('x')).toMatch(/^x_/);
  });

  it('gives every name once, the same in any order', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'A', '.', '_', 'b', '\0', '\ud800'), maxLength: 4 });
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (names, order) => {
        const first = assignNames(wanted(names), new Map(), [], lower);
        expect(new Set([...first.values()].map(lower)).size).toBe(names.length);
        const shuffled = names
          .map((each) => ({ each, at: order.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ each }) => each);
        const second = assignNames(wanted(shuffled), new Map(), [], lower);
        for (const each of names) expect(second.get(each)).toBe(first.get(each));
        const third = assignNames(wanted(shuffled), first, first.values(), lower);
        for (const each of names) expect(third.get(each)).toBe(first.get(each));
      }),
    );
  });
});
