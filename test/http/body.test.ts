import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseWhole } from '../../http/body.ts';
import { parseStream } from '../../http/body-stream.ts';
import type { Json } from '../../singer/lossless.ts';

const PATH = ['message_response', 'systems'];

async function* chunked(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const cut of [...new Set(cuts.map((at) => at % (bytes.length + 1)))].sort((a, b) => a - b)) {
    yield bytes.subarray(from, cut);
    from = cut;
  }
  yield bytes.subarray(from);
}

const everyByte = (bytes: Uint8Array) => Array.from({ length: bytes.length }, (_, at) => at);

async function streamed(
  text: string | Uint8Array,
  cuts: readonly number[] | 'every byte',
  path: readonly string[] = PATH,
) {
  const bytes = Buffer.from(text);
  const groups = parseStream(chunked(bytes, cuts === 'every byte' ? everyByte(bytes) : cuts), path);
  const rows: Json[] = [];
  for (;;) {
    const step = await groups.next();
    if (step.done === true) return { rows, envelope: step.value };
    rows.push(...step.value);
  }
}

/** As text, so that numbers kept digit for digit are compared digit for digit. */
const plain = (value: unknown) => JSON.stringify(value);

const NAMES = fc.constantFrom('systems', 'message_response', 'rows', 'total', 'a.b', 'ä', '', 'name');
const BIG = fc.bigInt({ min: 2n ** 53n, max: 10n ** 25n }).map((value) => JSON.rawJSON(String(value)));
const { value: VALUE } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(
      fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      BIG,
      fc.boolean(),
      fc.constant(null),
    ),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(NAMES, tie('value'), { maxKeys: 4 }),
  ),
}));

const ENVELOPE = fc
  .record({
    rows: fc.array(VALUE, { maxLength: 6 }),
    before: fc.dictionary(fc.constantFrom('total', 'limit', 'systems_before', 'page'), VALUE),
    after: fc.dictionary(fc.constantFrom('links', 'page_after', 'more'), VALUE),
    top: fc.dictionary(fc.constantFrom('systems', 'status', 'metadata'), VALUE),
    tail: fc.dictionary(fc.constantFrom('response_code', 'message_version'), VALUE),
  })
  .map(({ rows, before, after, top, tail }) =>
    JSON.stringify({ ...top, message_response: { ...before, systems: rows, ...after }, ...tail }),
  );

const CUTS = fc.array(fc.nat(2_000), { maxLength: 12 });

describe('a body in chunks', () => {
  it('gives the same rows and the same envelope as the whole body', async () => {
    await fc.assert(
      fc.asyncProperty(
        ENVELOPE,
        CUTS,
        fc.constantFrom(PATH, ['systems'], ['message_response'], ['metadata', 'systems']),
        async (text, cuts, path) => {
          const whole = parseWhole(text, path);
          for (const pieces of [cuts, 'every byte'] as const) {
            const inChunks = await streamed(text, pieces, path);
            expect(inChunks.envelope.found).toBe(whole.envelope.found);
            if (!whole.envelope.found) continue;
            expect(plain(inChunks.rows)).toBe(plain(whole.rows));
            expect(plain(inChunks.envelope.value)).toBe(plain(whole.envelope.value));
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    ['rows first', '{"message_response":{"systems":[{"id":1}],"total":1},"status":"success"}'],
    ['rows last', '{"status":"success","message_response":{"total":1,"systems":[{"id":1}]}}'],
    [
      'a key of the same name below a row',
      '{"message_response":{"systems":[{"id":1,"message_response":{"systems":[2,3]},"systems":[4]}]}}',
    ],
    [
      'a key of the same name before',
      '{"systems":[9],"x":{"message_response":{"systems":[8]}},"message_response":{"systems":[{"id":1}]}}',
    ],
    ['a key of the same name after', '{"message_response":{"systems":[{"id":1}]},"systems":[9],"x":{"systems":[7]}}'],
    ['no rows', '{"message_response":{"systems":[],"total":0}}'],
    ['rows that are no objects', '{"message_response":{"systems":[1,"two",null,[3],{"id":4},false]}}'],
    ['blanks everywhere', ' {\n"message_response" : { "systems" : [ { "id" : 1 } , 2 ] } }\n '],
  ])('%s', async (_name, text) => {
    const whole = parseWhole(text, PATH);
    const inChunks = await streamed(text, 'every byte');
    expect(whole.envelope.found).toBe(true);
    expect(plain(inChunks)).toBe(plain({ rows: whole.rows, envelope: whole.envelope }));
  });

  it('keeps numbers that a double cannot hold, digit for digit', async () => {
    const rows = '[{"id":52500000000000001,"n":-9007199254740993,"d":0.1234567890123456789,"e":1.5e400,"z":1.0}]';
    const text = `{"message_response":{"systems":${rows},"total":9007199254740993}}`;
    const { rows: found, envelope } = await streamed(text, 'every byte');
    expect(plain(found)).toBe(
      '[{"id":52500000000000001,"n":-9007199254740993,"d":0.1234567890123456789,"e":1.5e400,"z":1}]',
    );
    expect(plain(envelope.value)).toContain('9007199254740993');
    expect(plain(parseWhole(text, PATH).rows)).toBe(plain(found));
  });

  it('keeps characters whole that a chunk cuts, and drops a byte order mark', async () => {
    const text = '\ufeff{"message_response":{"systems":[{"name":"Zürich 東京 🙂"}]}}';
    expect(plain((await streamed(text, 'every byte')).rows)).toBe('[{"name":"Zürich 東京 🙂"}]');
  });

  it('cut at any byte is an error, never a short page', async () => {
    const text =
      '{"status":"success","message_response":{"total":3,"systems":[{"id":1,"name":"ü"},{"id":22},[true,null]],"page":1},"code":200}';
    const bytes = Buffer.from(text);
    for (let end = 0; end < bytes.length; end += 1) {
      const cut = bytes.subarray(0, end);
      await expect(streamed(cut, [3, 40, 77]), `stream cut at ${end}`).rejects.toThrow();
      expect(() => parseWhole(cut.toString('utf8'), PATH), `whole cut at ${end}`).toThrow();
    }
  });

  it.each([
    '{"message_response":{"systems":[1]}} x',
    '{"message_response":{"systems":[1]}}{}',
    '{"message_response":{"systems":[1,]}}',
    '{"message_response":{"systems":[1 2]}}',
    "{'message_response':{}}",
  ])('%s is an error', async (text) => {
    await expect(streamed(text, [10])).rejects.toThrow();
    expect(() => parseWhole(text, PATH)).toThrow();
  });

  it('hands out rows before the body has ended', async () => {
    let sent = 0;
    async function* slowly(): AsyncGenerator<Uint8Array> {
      for (const part of ['{"message_response":{"systems":[{"id":1},', '{"id":2}', ',{"id":3}]}}']) {
        sent += 1;
        yield Buffer.from(part);
      }
    }
    const first = await parseStream(slowly(), PATH).next();
    expect(plain(first.value)).toBe('[{"id":1}]');
    expect(sent).toBe(1);
  });
});
