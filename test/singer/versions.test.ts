import { describe, expect, test } from 'vitest';
import { inUtc } from '../../singer/metadata.ts';
import { activation } from '../../singer/versions.ts';

const SECONDS = 1_769_839_200n;
const MILLISECONDS = SECONDS * 1000n;

describe('an activated version', () => {
  test.each<[string, bigint, (bigint | null)[], boolean, ReturnType<typeof activation>]>([
    ['retires older ones', 3n, [1n, 2n, 3n], false, { kind: 'retire', versions: [1n, 2n] }],
    ['ahead of its rows too', 3n, [1n, 2n], false, { kind: 'retire', versions: [1n, 2n] }],
    ['and rows without one beside them', 3n, [3n, null], false, { kind: 'retire', versions: [null] }],
    ['unless such rows came in this run', 3n, [2n, null], true, { kind: 'retire', versions: [2n] }],
    ['nothing where no row ever had one', 1n, [null], false, { kind: 'retire', versions: [] }],
    ['nothing in an empty table', 1n, [], false, { kind: 'retire', versions: [] }],
    ['nothing when a newer one is there', 2n, [1n, 3n, null], false, { kind: 'older', than: 3n }],
    ['nothing across units, up', MILLISECONDS, [SECONDS, null], false, { kind: 'jump', from: SECONDS }],
    ['nothing across units, down', SECONDS, [MILLISECONDS], false, { kind: 'jump', from: MILLISECONDS }],
    [
      'of its own unit only',
      MILLISECONDS + 1n,
      [SECONDS, MILLISECONDS],
      false,
      { kind: 'retire', versions: [MILLISECONDS] },
    ],
    ['counters before moments', SECONDS, [1n], false, { kind: 'retire', versions: [1n] }],
    ['a counter after moments is late', 1n, [SECONDS], false, { kind: 'older', than: SECONDS }],
    [
      'nanoseconds',
      MILLISECONDS * 1_000_000n + 1n,
      [MILLISECONDS * 1_000_000n],
      false,
      { kind: 'retire', versions: [MILLISECONDS * 1_000_000n] },
    ],
  ])('%s', (_name, version, found, unversioned, expected) => {
    expect(activation(version, found, unversioned)).toEqual(expected);
  });
});

describe('a point in time', () => {
  test.each([
    ['2026-01-31T06:00:00Z', '2026-01-31T06:00:00Z'],
    ['2026-01-31T06:00:00.123456789Z', '2026-01-31T06:00:00.123456789Z'],
    ['2026-01-31 06:00:00.10', '2026-01-31T06:00:00.10Z'],
    ['2026-01-31T01:30:00.5-05:30', '2026-01-31T07:00:00.5Z'],
    ['2026-01-01T00:30:00+0100', '2025-12-31T23:30:00Z'],
    ['2026-01-31T06:00:00+00:00+00:00', '2026-01-31T06:00:00Z'],
    ['2026-01-31', '2026-01-31T00:00:00Z'],
    ['yesterday', undefined],
    ['2026-13-31T06:00:00Z', undefined],
    ['', undefined],
  ])('%s', (text, expected) => expect(inUtc(text)).toBe(expected));
});
