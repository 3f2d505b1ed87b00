import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConnectorError } from '../../singer/errors.ts';
import { type Line, LineReader, MAX_LINE_BYTES } from '../../singer/reader.ts';

/** What a reader makes of chunks: its lines, and the fault that ended it. */
function readAll(chunks: readonly Uint8Array[], reader = new LineReader()): { lines: Line[]; fault?: string } {
  const lines: Line[] = [];
  try {
    for (const chunk of chunks) lines.push(...reader.push(chunk));
    const last = reader.end();
    if (last !== undefined) lines.push(last);
    return { lines };
  } catch (error) {
    if (!(error instanceof ConnectorError)) throw error;
    expect(error.code).toBe('protocol');
    return { lines, fault: `${error.where.line}: ${error.message}` };
  }
}

function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...ends].map((start, index) => bytes.slice(start, ends[index] ?? bytes.length));
}

const texts = (text: string) => readAll([Buffer.from(text)]).lines.map(({ number, text }) => [number, text]);

describe('lines', () => {
  const piece = fc.oneof(
    fc.constantFrom('\n', '\r\n', '\r', ' ', '\ufeff', '{"a":1}', 'é', '𝄞'),
    fc.string({ unit: 'grapheme', maxLength: 6 }),
  );

  test('any split into chunks gives the same numbered lines', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.array(fc.nat(), { maxLength: 12 }), (pieces, cuts) => {
        const bytes = Buffer.from(pieces.join(''));
        expect(readAll(split(bytes, cuts))).toEqual(readAll([bytes]));
      }),
    );
  });

  test('also when some bytes are not UTF-8 or a line is too long: good lines before it, then the same fault', () => {
    const bytes = fc.array(fc.oneof(fc.constant(0x0a), fc.constant(0x0d), fc.constant(0x41), fc.nat(255)), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(), { maxLength: 12 }), (list, cuts) => {
        const whole = Uint8Array.from(list);
        expect(readAll(split(whole, cuts), new LineReader(10))).toEqual(readAll([whole], new LineReader(10)));
      }),
    );
  });

  test('a chunk may be reused by its stream after it was pushed', () => {
    const reader = new LineReader();
    const chunk = Buffer.from('first half ');
    reader.push(chunk);
    chunk.fill('x');
    expect(reader.push(Buffer.from('and second\n'))[0]?.text).toBe('first half and second');
  });

  test.each([
    [
      'LF',
      'a\nb\n',
      [
        [1, 'a'],
        [2, 'b'],
      ],
    ],
    [
      'CRLF',
      'a\r\nb\r\n',
      [
        [1, 'a'],
        [2, 'b'],
      ],
    ],
    ['a CR inside stays', 'a\rb\n', [[1, 'a\rb']]],
    [
      'blank lines are left out and counted',
      '\n \t\r\na\n\n\nb\n',
      [
        [3, 'a'],
        [6, 'b'],
      ],
    ],
    [
      'a complete last line without its end',
      'a\n{"b":1}',
      [
        [1, 'a'],
        [2, '{"b":1}'],
      ],
    ],
    ['a last line of blanks', 'a\n  ', [[1, 'a']]],
    [
      'a byte order mark at the start',
      '\ufeffa\nb',
      [
        [1, 'a'],
        [2, 'b'],
      ],
    ],
    [
      'a byte order mark later is data',
      'a\n\ufeffb',
      [
        [1, 'a'],
        [2, '\ufeffb'],
      ],
    ],
    ['nothing', '', []],
  ])('%s', (_name, text, expected) => {
    expect(texts(text)).toEqual(expected);
  });

  test('bytes are those of the line, for batch limits', () => {
    expect(readAll([Buffer.from('é\r\n')]).lines).toEqual([{ number: 1, text: 'é', bytes: 2 }]);
  });

  test('the count includes blank lines', () => {
    const reader = new LineReader();
    reader.push(Buffer.from('a\n\nb\n'));
    expect(reader.count).toBe(3);
  });
});

describe('faults', () => {
  test.each([
    ['a stray continuation byte', [0x61, 0x0a, 0x0a, 0x80, 0x0a], '3: line 3 is not valid UTF-8'],
    ['half a character at the end', [0x61, 0x0a, 0xc3], '2: line 2 is not valid UTF-8'],
    ['an encoded surrogate', [0xed, 0xa0, 0x80, 0x0a], '1: line 1 is not valid UTF-8'],
  ])('%s is named by its line', (_name, bytes, fault) => {
    expect(readAll([Uint8Array.from(bytes)]).fault).toBe(fault);
  });

  test('good lines of the same chunk come before the fault', () => {
    const reader = new LineReader();
    expect(reader.push(Buffer.from([0x61, 0x0a, 0xff, 0x0a, 0x62, 0x0a])).map(({ text }) => text)).toEqual(['a']);
    expect(() => reader.push(Buffer.from('c\n'))).toThrow('line 2 is not valid UTF-8');
    expect(() => reader.end()).toThrow('line 2 is not valid UTF-8');
  });
});

describe('long lines', () => {
  const chunk = Buffer.alloc(4096, 'x');

  test('a line of 64 MiB in small chunks is accepted, and the next one too', () => {
    const reader = new LineReader();
    for (let sent = 0; sent < MAX_LINE_BYTES; sent += chunk.length) expect(reader.push(chunk)).toEqual([]);
    const [line] = reader.push(Buffer.from('\r\nnext'));
    expect(line?.bytes).toBe(MAX_LINE_BYTES);
    expect(reader.end()).toEqual({ number: 2, text: 'next', bytes: 4 });
  });

  test('many chunks of one byte cost no object each', () => {
    const reader = new LineReader();
    const byte = Buffer.from('x');
    for (let sent = 0; sent < 2_000_000; sent += 1) reader.push(byte);
    expect(reader.end()?.bytes).toBe(2_000_000);
  });

  test('a longer one is refused as soon as that is known, with its number', () => {
    const reader = new LineReader();
    reader.push(Buffer.from('first\n'));
    const pushAll = () => {
      for (let sent = 0; sent <= MAX_LINE_BYTES + 1; sent += chunk.length) reader.push(chunk);
    };
    expect(pushAll).toThrow(`line 2 is longer than ${MAX_LINE_BYTES} bytes`);
  });

  test.each([
    ['in one chunk', ['xxxxx\n']],
    ['in two', ['xxx', 'xx\n']],
    ['without its end', ['xxx', 'xx']],
  ])('one byte too many, %s', (_name, chunks) => {
    const { fault } = readAll(
      chunks.map((text) => Buffer.from(text)),
      new LineReader(4),
    );
    expect(fault).toBe('1: line 1 is longer than 4 bytes');
  });
});
