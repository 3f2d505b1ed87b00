import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConnectorError } from '../../singer/errors.ts';
import { MessageParser, parseMessage, type RecordMessage, versionOf } from '../../singer/messages.ts';

const line = (value: unknown) => JSON.stringify(value);

function faultOf(text: string): ConnectorError {
  try {
    parseMessage(text, 7);
  } catch (error) {
    if (error instanceof ConnectorError) return error;
  }
  throw new Error(`accepted: ${text}`);
}

describe('good messages', () => {
  test('RECORD, with what it may carry and fields nobody knows', () => {
    const message = {
      type: 'RECORD',
      stream: 's',
      record: { id: 1 },
      version: 3,
      time_extracted: '2026-01-31T06:00:00Z',
      sequence: 4,
      overwrites: true,
    };
    expect(parseMessage(line(message), 1)).toEqual(message);
  });

  test('SCHEMA; lists of names default to none, a single name is a list', () => {
    const schema = { properties: { id: { type: 'integer' } } };
    expect(
      parseMessage(line({ type: 'SCHEMA', stream: 's', schema, key_properties: ['id'], bookmark_properties: 'id' }), 1),
    ).toEqual({ type: 'SCHEMA', stream: 's', schema, key_properties: ['id'], bookmark_properties: ['id'] });
    for (const key_properties of [undefined, null, []]) {
      expect(parseMessage(line({ type: 'SCHEMA', stream: 's', schema, key_properties }), 1)).toMatchObject({
        key_properties: [],
        bookmark_properties: [],
      });
    }
  });

  test.each(['null', '{}', '{"lsn":12345678901234567890,"n":1.0,"e":1E2,"z":-0}', '[1.10]', '"x"'])(
    'the value %s of a STATE comes out byte for byte',
    (value) => {
      const message = parseMessage(`{"type":"STATE","value":${value}}`, 1);
      expect(message.type === 'STATE' && JSON.stringify(message.value)).toBe(value);
    },
  );

  test('ACTIVATE_VERSION', () => {
    const message = { type: 'ACTIVATE_VERSION', stream: 's', version: 1769839200000 };
    expect(parseMessage(line(message), 1)).toEqual(message);
  });

  test.each(['5', '1769839200123456789'])('the version %s of a RECORD and of an ACTIVATE_VERSION', (version) => {
    const record = parseMessage(`{"type":"RECORD","stream":"s","record":{},"version":${version}}`, 1);
    const activate = parseMessage(`{"type":"ACTIVATE_VERSION","stream":"s","version":${version}}`, 1);
    expect(record.type === 'RECORD' && JSON.stringify(versionOf(record, 1))).toBe(version);
    expect(activate.type === 'ACTIVATE_VERSION' && JSON.stringify(activate.version)).toBe(version);
  });

  test('numbers of records lose no digit', () => {
    const message = parseMessage('{"type":"RECORD","stream":"s","record":{"id":12345678901234567890}}', 1);
    expect(message.type === 'RECORD' && JSON.stringify(message.record)).toBe('{"id":12345678901234567890}');
  });

  test.each(['record', 'Record', 'RECORD'])('the type may be written %s', (type) => {
    expect(parseMessage(line({ type, stream: 's', record: {} }), 1)).toEqual({
      type: 'RECORD',
      stream: 's',
      record: {},
    });
  });

  test.each(['schema', 'state', 'activate_version'])('and %s', (type) => {
    const text = line({ type, stream: 's', schema: { properties: {} }, value: {}, version: 1 });
    expect(parseMessage(text, 1).type).toBe(type.toUpperCase());
  });

  test.each(['LOG', 'TRACE', ''])('an unknown type "%s" is handed on by name', (type) => {
    expect(parseMessage(line({ type }), 1)).toEqual({ type: 'UNKNOWN', name: type });
  });

  test('property names that JavaScript knows itself', () => {
    const text = '{"type":"record","stream":"s","record":{"__proto__":1,"constructor":2}}';
    const message = parseMessage(text, 1);
    expect(message.type === 'RECORD' && JSON.stringify(message.record)).toBe('{"__proto__":1,"constructor":2}');
  });
});

describe('bad messages name their line', () => {
  const schema = { properties: {} };
  test.each([
    ['not JSON', '{"type":"RECORD"', 'line 7 is not JSON: {\\"type\\":\\"RECORD\\"'],
    ['a print from somewhere', 'hello\tworld', 'line 7 is not JSON: hello\\tworld'],
    ['half a line', '{"type":"RECORD","stream":"s","record":{"a":', 'line 7 is not JSON'],
    ['NaN', '{"type":"RECORD","stream":"s","record":{"a":NaN}}', 'line 7 is not JSON'],
    ['no object', '[1]', 'line 7: no message type: [1]'],
    ['a number too long for a double', '12345678901234567890', 'line 7: no message type'],
    ['no type', '{"stream":"s"}', 'line 7: no message type: {\\"stream\\":\\"s\\"}'],
    ['a type that is no text', '{"type":1}', 'line 7: no message type'],
    [
      'RECORD without record',
      line({ type: 'RECORD', stream: 's' }),
      'line 7: a RECORD message without a record object',
    ],
    ['RECORD with a list', line({ type: 'RECORD', stream: 's', record: [] }), 'without a record object'],
    ['RECORD without stream', line({ type: 'RECORD', record: {} }), 'line 7: a RECORD message without a stream name'],
    ['RECORD with an empty stream', line({ type: 'RECORD', stream: '', record: {} }), 'without a stream name'],
    ['RECORD with a numeric stream', line({ type: 'RECORD', stream: 1, record: {} }), 'without a stream name'],
    ['SCHEMA without schema', line({ type: 'SCHEMA', stream: 's' }), 'line 7: a SCHEMA message whose schema has no'],
    ['SCHEMA without properties', line({ type: 'SCHEMA', stream: 's', schema: {} }), 'whose schema has no properties'],
    ['SCHEMA with a list of properties', line({ type: 'SCHEMA', stream: 's', schema: { properties: [] } }), 'no prop'],
    ['SCHEMA without stream', line({ type: 'SCHEMA', schema }), 'a SCHEMA message without a stream name'],
    [
      'keys that are no list',
      line({ type: 'SCHEMA', stream: 's', schema, key_properties: { id: 1 } }),
      'line 7: key_pr',
    ],
    ['keys that are no names', line({ type: 'SCHEMA', stream: 's', schema, key_properties: [1] }), 'list of property'],
    [
      'bookmarks that are no names',
      line({ type: 'SCHEMA', stream: 's', schema, bookmark_properties: 3 }),
      'bookmark_p',
    ],
    ['STATE without value', line({ type: 'STATE' }), 'line 7: a STATE message without a value'],
    ['ACTIVATE_VERSION without version', line({ type: 'ACTIVATE_VERSION', stream: 's' }), 'without a version number'],
    ['ACTIVATE_VERSION without stream', line({ type: 'ACTIVATE_VERSION', version: 1 }), 'without a stream name'],
  ])('%s', (_name, text, problem) => {
    const error = faultOf(text);
    expect(error.message).toContain(problem);
    expect(error.code).toBe('protocol');
    expect(error.where.line).toBe(7);
  });

  test.each(['1.5', '"1"', 'true', '1e30'])('RECORD with the version %s', (version) => {
    const message = parseMessage(`{"type":"RECORD","stream":"s","record":{},"version":${version}}`, 7);
    expect(() => message.type === 'RECORD' && versionOf(message, 7)).toThrow(
      'line 7: a record of stream "s" whose version is not a whole number',
    );
    expect(() => parseMessage(`{"type":"ACTIVATE_VERSION","stream":"s","version":${version}}`, 7)).toThrow(
      'version number',
    );
  });

  test('of a long line only the first 200 characters are shown', () => {
    const { message } = faultOf(`x${'é'.repeat(500)}`);
    expect(message).toBe(`line 7 is not JSON: x${'é'.repeat(199)}…`);
  });
});

describe('the parser of an input', () => {
  const records = fc.dictionary(
    fc.oneof(fc.constantFrom('id', 'record', 'type', 'a"b'), fc.string({ maxLength: 3 })),
    fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constantFrom('"record":', '}', ',"version":3}')),
    { maxKeys: 3 },
  );
  const message = fc
    .record({
      stream: fc.constantFrom('s', 's', 't', 'x","record":{}', 'ü'),
      record: fc.oneof(
        { weight: 9, arbitrary: records as fc.Arbitrary<unknown> },
        { weight: 1, arbitrary: fc.jsonValue() },
      ),
      before: fc.option(fc.integer({ min: 1, max: 3 })),
      after: fc.option(fc.integer({ min: 1, max: 3 })),
      blank: fc.constantFrom('', ' '),
      type: fc.constantFrom('RECORD', 'RECORD', 'record', 'STATE'),
    })
    .map(({ stream, record, before, after, blank, type }) => {
      const version = (value: number | null) => (value === null ? '' : `"version":${blank}${value},`);
      const tail = after === null ? '' : `,"version":${after}`;
      const digits = before === 2 ? '12345678901234567890' : JSON.stringify(record);
      const inner = before === 3 ? `{"n":${digits.replace(/[^0-9]/g, '') || '0'}}` : JSON.stringify(record);
      return `{"type":${blank}"${type}","stream":${JSON.stringify(stream)},${version(before)}"record":${blank}${inner}${tail}}`;
    });
  const outcome = (read: () => unknown) => {
    try {
      return JSON.stringify(read());
    } catch (error) {
      return error instanceof ConnectorError ? error.message : error;
    }
  };

  test('reads each line as if it stood alone', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(message, fc.constantFrom('{', '{"type":"RECORD","stream":"s","record":{}')), {
          maxLength: 12,
        }),
        (all) => {
          const parser = new MessageParser();
          for (const [index, text] of all.entries()) {
            const sorted = (value: unknown) => Object.fromEntries(Object.entries(value as object).sort());
            expect(outcome(() => sorted(parser.parse(text, index)))).toEqual(
              outcome(() => sorted(parseMessage(text, index))),
            );
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test.each(['', ',"version":5', ',"version":12345678901234567'])('a frame that ends with "%s" lasts', (tail) => {
    const parser = new MessageParser();
    for (const id of [1, 2, 3]) {
      const text = `{"type":"RECORD","stream":"s","record":{"id":${id}}${tail}}`;
      expect(JSON.stringify(parser.parse(text, 1))).toContain(`"record":{"id":${id}}`);
      expect(versionOf(parser.parse(text, 1) as RecordMessage, 1)).toEqual(
        versionOf(parseMessage(text, 1) as RecordMessage, 1),
      );
    }
  });

  test('keeps the digits of numbers within records and beside them', () => {
    const parser = new MessageParser();
    const head = '{"type":"RECORD","stream":"s","version":1769839200123456789,"record":';
    for (const number of ['1', '12345678901234567890', '0.12345678901234567890', '1']) {
      const read = parser.parse(`${head}{"n":${number}}}`, 1);
      expect(JSON.stringify(read)).toContain(`{"n":${number}}`);
      expect(JSON.stringify(read)).toContain('"version":1769839200123456789');
    }
  });
});
