import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  approximate,
  exactNumber,
  holdsRawNumber,
  isObject,
  isRawNumber,
  type Json,
  jsonProblem,
  parseLossless,
  parseVerbatim,
  withoutBom,
} from '../../singer/lossless.ts';

/** A JSON number as whole digits and a power of ten: equal exactly when the two are the same number. */
function decimal(text: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  expect(match, text).not.toBeNull();
  const [, sign, whole = '', fraction = '', exponent = '0'] = match ?? [];
  let digits = BigInt(whole + fraction);
  let power = BigInt(exponent) - BigInt(fraction.length);
  if (digits === 0n) return '0';
  while (digits % 10n === 0n) {
    digits /= 10n;
    power += 1n;
  }
  return `${sign}${digits}e${power}`;
}

/** The numbers of a JSON text, in order, strings left out. */
function numbersOf(json: string): string[] {
  return json.replace(/"(?:[^"\\]|\\.)*"/g, '""').match(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g) ?? [];
}

const digit = fc.constantFrom(...'0123456789');
const digits = (max: number) => fc.string({ unit: digit, minLength: 1, maxLength: max });
const whole = digits(40).map((text) => text.replace(/^0+(?=\d)/, ''));
const exponent = fc.oneof(
  fc.constant(''),
  fc.tuple(fc.constantFrom('e', 'E'), fc.constantFrom('', '+', '-'), fc.nat(420)).map((parts) => parts.join('')),
);
const number = fc
  .tuple(fc.constantFrom('', '-'), whole, fc.option(digits(40)), exponent)
  .map(([sign, int, fraction, power]) => `${sign}${int}${fraction === null ? '' : `.${fraction}`}${power}`);
const blank = fc.string({ unit: fc.constantFrom(' ', '\n', '\r', '\t'), maxLength: 3 });
const leaf = fc.oneof(
  number,
  number,
  fc.constantFrom('null', 'true'),
  fc.string().map((s) => JSON.stringify(s)),
);
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc
      .array(
        fc.tuple(blank, tie('json'), blank).map((parts) => parts.join('')),
        { maxLength: 4 },
      )
      .map((items) => `[${items.join(',')}]`),
    fc
      .array(fc.tuple(blank, tie('json')), { maxLength: 4 })
      .map((items) => `{${items.map(([space, item], index) => `"k${index}":${space}${item}`).join(`${','}\n`)}}`),
  ),
}));

describe('any JSON text', () => {
  const text = fc.tuple(blank, json, blank).map((parts) => parts.join(''));

  test('keeps the exact value of every number', () => {
    fc.assert(
      fc.property(text, (source) => {
        const after = JSON.stringify(parseLossless(source));
        expect(numbersOf(after).map(decimal)).toEqual(numbersOf(source).map(decimal));
        const rounded = (json: string) => JSON.stringify(approximate(parseLossless(json)));
        expect(rounded(after)).toBe(rounded(source));
      }),
      { numRuns: 2000 },
    );
  });

  test('keeps the spelling too when it is only relayed', () => {
    fc.assert(
      fc.property(text, (source) => {
        expect(numbersOf(JSON.stringify(parseVerbatim(source)))).toEqual(numbersOf(source));
      }),
    );
  });

  test('a number alone, whatever stands around it', () => {
    fc.assert(
      fc.property(number, blank, (source, space) => {
        expect(decimal(JSON.stringify(parseLossless(`${space}${source}${space}`)))).toBe(decimal(source));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('numbers', () => {
  test.each([
    '9007199254740993',
    '-9223372036854775808',
    '18446744073709551616',
    '0.12345678901234567',
    '123456789012345.678',
    '1e-400',
    '1e400',
    '-1E+400',
    '123e-324',
    '4.9e-324',
    '123456789e305',
    '12345678901e300',
    '1e99999999999999999999',
    '0.1000000000000000055511151231257827',
  ])('%s survives in every place', (source) => {
    for (const text of [source, ` ${source}`, `[${source}]`, `[1,\n ${source}]`, `{"a": {"b" :\t${source}}}`]) {
      expect(numbersOf(JSON.stringify(parseLossless(text))).map(decimal)).toContain(decimal(source));
    }
  });

  test.each([
    '0',
    '-1',
    '1.0',
    '1e2',
    '1.50E3',
    '123456789012345',
    '9007199254740992',
    '0.1234567890123456',
    '1e22',
    '-0.0',
  ])('%s is an ordinary number', (source) => {
    expect(exactNumber(source)).toBe(Number(source));
    expect(parseLossless(`[${source}]`)).toEqual([Number(source)]);
  });

  test('ordinary lines take the ordinary path', () => {
    const line = '{"id":123456789012345,"at":"2026-01-31T06:00:00.123456789Z","share":0.95,"list":[1,-2.5e10]}';
    const parse = JSON.parse;
    const revivers: unknown[] = [];
    JSON.parse = ((text: string, reviver?: never) => {
      revivers.push(reviver);
      return parse(text, reviver);
    }) as typeof JSON.parse;
    try {
      parseLossless(line);
      parseLossless('[12345678901234567]');
    } finally {
      JSON.parse = parse;
    }
    expect(revivers).toEqual([undefined, expect.any(Function)]);
  });

  test('a number of two million digits (quadratic work would run into the time limit)', () => {
    const source = `1${'0'.repeat(1_000_000)}1.${'0'.repeat(1_000_000)}1`;
    expect(JSON.stringify(exactNumber(source))).toBe(source);
  });

  test('text that looks like a number stays text', () => {
    expect(parseLossless('{"a":":12345678901234567890"}')).toEqual({ a: ':12345678901234567890' });
  });

  test('exactNumber leaves what is not a number of JSON as it came', () => {
    expect(() => exactNumber('1234567890123456 apples')).toThrow(SyntaxError);
  });
});

describe('values', () => {
  const raw = parseLossless('12345678901234567890');

  test('a raw number is no object', () => {
    expect(isRawNumber(raw)).toBe(true);
    expect(isObject(raw)).toBe(false);
    expect([isObject({}), isObject([]), isObject(null), isObject('x')]).toEqual([true, false, false, false]);
  });

  test('approximate turns every raw number into a finite double', () => {
    const value: Json = { a: [raw, 1, null], b: { c: parseLossless('-1e999') } };
    expect(approximate(value)).toEqual({ a: [12345678901234567000, 1, null], b: { c: -Number.MAX_VALUE } });
  });

  test('raw numbers are found at any depth', () => {
    expect([{ a: [{ b: raw }] }, raw, [raw]].map(holdsRawNumber)).toEqual([true, true, true]);
    expect([{ a: [{ b: 1 }] }, null, 'x'].map(holdsRawNumber)).toEqual([false, false, false]);
  });
});

describe('files', () => {
  test.each(['{"client_secret": s3cr3t}', '{"client_secret":"s3cr3t"}}', '{"client_secret":"s3cr3t",}', 's3cr3t'])(
    'the problem with %s is told without its text',
    (text) => {
      let problem = '';
      try {
        JSON.parse(text);
      } catch (error) {
        problem = jsonProblem(error);
      }
      expect(problem).toMatch(/^(Unexpected|Expected)/);
      expect(problem).not.toContain('s3cr3t');
    },
  );

  test('anything may be thrown', () => expect(jsonProblem('odd')).toBe('odd'));

  test('a byte order mark is no part of the text', () => {
    expect(withoutBom('\ufeff{}')).toBe('{}');
    expect(withoutBom('{}')).toBe('{}');
  });
});
