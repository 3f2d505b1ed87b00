import { describe, expect, it } from 'vitest';
import { parseLossless } from '../../singer/lossless.ts';
import type { JsonSchema } from '../../singer/messages.ts';
import { columnsOf } from '../../targets/columns.ts';

const CASES: readonly (readonly [kind: string, node: string])[] = [
  ['text', '{"type":"string"}'],
  ['text', '{"type":["null","string"],"format":"uuid"}'],
  ['integer', '{"type":["integer","null"]}'],
  ['integer', '{"type":"integer","minimum":-9223372036854775808,"maximum":9223372036854775807}'],
  ['big_integer', '{"type":"integer","maximum":18446744073709551615}'],
  ['big_integer', '{"type":"integer","minimum":-9223372036854780000}'],
  ['number', '{"type":"number"}'],
  ['number', '{"type":["integer","number"]}'],
  ['number', '{"type":"number","multipleOf":5}'],
  ['decimal', '{"type":"number","multipleOf":0.01}'],
  ['decimal', '{"type":["string","null"],"format":"singer.decimal"}'],
  ['decimal', '{"type":["string","null"],"x-singer.decimal":true}'],
  ['boolean', '{"type":["null","boolean"]}'],
  ['date_time', '{"type":"string","format":"date-time"}'],
  ['date_time', '{"anyOf":[{"type":"string","format":"date-time"},{"type":"null"}]}'],
  ['date_time', '{"type":["null","string"],"anyOf":[{"format":"date-time"},{"format":"date-time"}]}'],
  ['text', '{"anyOf":[{"type":"string","format":"date-time"},{"type":["string","null"]}]}'],
  ['date', '{"type":"string","format":"date"}'],
  ['time', '{"type":"string","format":"time"}'],
  ['text', '{"oneOf":[{"type":"string","format":"date"},{"type":"string","format":"date-time"}]}'],
  ['text', '{"type":["null","number","string"]}'],
  ['text', '{"type":["boolean","integer"]}'],
  ['json', '{"anyOf":[{"type":"array"},{"type":"string"}]}'],
  ['json', '{"type":["null","object","string"]}'],
  ['json', '{"type":"array","items":{}}'],
  ['json', '{}'],
  ['json', 'true'],
  ['json', '{"type":"null"}'],
  ['json', '{"type":"strange"}'],
  ['integer', '{"allOf":[{"type":["integer","null"]},{"minimum":0}]}'],
  ['big_integer', '{"allOf":[{"$ref":"#/definitions/id"},{"maximum":1e30}]}'],
  ['integer', '{"$ref":"#/definitions/id"}'],
  ['date_time', '{"$ref":"#/definitions/a~1b"}'],
  ['json', '{"$ref":"#/definitions/loop"}'],
  ['json', '{"$ref":"#/definitions/mutual"}'],
  ['json', '{"$ref":"#/definitions/nowhere"}'],
  ['json', '{"$ref":"https://example.com/schema.json"}'],
  ['json', '{"$ref":"#/definitions/tree"}'],
  ['text', '{"enum":["a","b",null]}'],
  ['integer', '{"enum":[1,2]}'],
  ['number', '{"enum":[1,2.5]}'],
  ['boolean', '{"const":true}'],
];

const definitions = {
  id: { type: 'integer' },
  'a/b': { type: 'string', format: 'date-time' },
  loop: { $ref: '#/definitions/loop' },
  mutual: { anyOf: [{ $ref: '#/definitions/mutual' }, { type: 'integer' }] },
  tree: { type: 'object', properties: { children: { $ref: '#/definitions/tree' } } },
};

describe('columnsOf', () => {
  it.each(CASES)('%s for %s', (kind, node) => {
    const schema = { definitions, properties: { p: parseLossless(node) } } as unknown as JsonSchema;
    expect(columnsOf(schema)).toEqual([{ property: 'p', kind }]);
  });

  it('keeps the order of the schema', () => {
    const properties = { z: {}, a: {}, '1': {} };
    expect(columnsOf({ properties }).map(({ property }) => property)).toEqual(Object.keys(properties));
  });
});
