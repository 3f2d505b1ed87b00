import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeySet } from '../../http/key-set.ts';

const KEYS = fc.array(fc.oneof(fc.nat(50).map(String), fc.string({ maxLength: 12 })), { maxLength: 60 });

describe('a set of keys', () => {
  it('counts like a Set, through any number of round trips', () => {
    fc.assert(
      fc.property(fc.array(KEYS, { maxLength: 6 }), (batches) => {
        const truth = new Set<string>();
        let set = new KeySet();
        for (const batch of batches) {
          for (const key of batch) {
            expect(set.add(key)).toBe(!truth.has(key));
            truth.add(key);
            expect(set.size).toBe(truth.size);
          }
          set = KeySet.decode(JSON.parse(JSON.stringify(set.encode())) as string[]);
          expect(set.size).toBe(truth.size);
          for (const key of truth) expect(set.add(key)).toBe(false);
        }
      }),
    );
  });

  it('keeps its keys when recent ones are merged', () => {
    let set = new KeySet();
    const keys = Array.from({ length: 20_000 }, (_, at) => String(40_321_073_200_000 + at));
    for (const [at, key] of keys.entries()) {
      set.add(key);
      if (at % 3_000 === 0) set = KeySet.decode(set.encode());
    }
    set.encode();
    expect(set.size).toBe(keys.length);
    for (const key of keys) expect(set.add(key)).toBe(false);
  });

  it('writes the same strings for the same keys', () => {
    const a = new KeySet();
    const b = new KeySet();
    for (const key of ['x', 'y', 'z']) a.add(key);
    for (const key of ['z', 'x', 'y', 'x']) b.add(key);
    expect(a.encode()).toEqual(b.encode());
  });

  it.each([
    ['cut off', (text: string) => text.slice(0, -1)],
    ['with a number too large', () => Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]).toString('base64url')],
    ['with foreign characters', (text: string) => `${text.slice(0, 4)}!!${text.slice(4)}`],
    ['with a key twice', (text: string) => `${text}AA`],
  ])('refuses a string %s', (_name, damage) => {
    const set = new KeySet();
    // Of one key, so that every byte but the last says that more follow.
    set.add('one key');
    const [, recent = ''] = set.encode();
    expect(() => KeySet.decode(['', damage(recent)])).toThrow(/damaged|cut off/);
  });

  it('never fails in another way than by saying so', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 3 }), (parts) => {
        try {
          KeySet.decode(parts);
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'state', hint: expect.stringContaining('--reset') });
        }
      }),
    );
  });
});
