/** Personal fields on their way out of the tap. */
import { createHmac } from 'node:crypto';
import { describe, expect, it, test } from 'vitest';
import { compileSchema } from '../../singer/check.ts';
import type { Json, Row } from '../../singer/lossless.ts';
import type { JsonSchema } from '../../singer/messages.ts';
import { type PersonalFilter, personalFilter } from '../../taps/manageengine/personal.ts';
import { STREAMS } from '../../taps/pmp/streams.ts';

const SALT = 'an invented salt of the tests';

const SCHEMA: JsonSchema = {
  type: 'object',
  'x-indexes': [['office']],
  properties: {
    id: { type: 'string', description: 'Id of the row.' },
    name: { type: ['null', 'string'], description: 'Name of the computer.', 'x-pii': true },
    addresses: { type: ['null', 'string'], description: 'Addresses.', 'x-pii': true, 'x-separator': ',' },
    seen: { type: ['null', 'string'], format: 'date-time', description: 'Seen by its user.', 'x-pii': true },
    desk: { type: ['null', 'integer'], description: 'Number of the desk.', 'x-pii': true },
    notes: {
      type: ['null', 'object'],
      description: 'All notes.',
      'x-pii': true,
      properties: { by: { type: 'string' } },
    },
    office: { type: ['null', 'string'], description: 'Name of the office.' },
  },
};

const RECORD: Row = {
  id: '7',
  name: 'WS-0001',
  addresses: '192.0.2.17,192.0.2.18',
  seen: '2026-01-15T12:00:00Z',
  desk: 12,
  notes: { by: 'user0001' },
  office: 'Branch 01',
};

function hash(text: string): string {
  return createHmac('sha256', SALT).update(text).digest('hex').slice(0, 32);
}

function filter(mode: 'drop' | 'hash', schema = SCHEMA, declared?: JsonSchema): PersonalFilter {
  const made = personalFilter(schema, mode, SALT, declared);
  if (made === undefined) throw new Error('nothing to filter');
  return made;
}

describe('nothing is done', () => {
  it('when personal fields are kept', () => {
    expect(personalFilter(SCHEMA, 'keep', undefined)).toBeUndefined();
  });

  it('to a stream without personal fields', () => {
    const { id = {} } = SCHEMA.properties ?? {};
    expect(personalFilter({ type: 'object', properties: { id } }, 'drop', undefined)).toBeUndefined();
    expect(personalFilter({ type: 'object', properties: { id } }, 'hash', SALT)).toBeUndefined();
  });
});

describe('drop', () => {
  const { schema, apply } = filter('drop');

  it('takes personal properties out of the schema and leaves the rest of it', () => {
    expect(Object.keys(schema.properties ?? {})).toEqual(['id', 'office']);
    expect(schema).toEqual({ ...SCHEMA, properties: schema.properties });
  });

  it('takes personal values out of the record, which stays as it was', () => {
    const before = structuredClone(RECORD);
    expect(apply(RECORD)).toEqual({ id: '7', office: 'Branch 01' });
    expect(RECORD).toEqual(before);
  });

  it('keeps null, and what is not there stays away', () => {
    expect(apply({ id: '7', name: null, office: null })).toEqual({ id: '7', office: null });
    expect(Object.keys(apply({ id: '7' }))).toEqual(['id']);
  });
});

describe('hash', () => {
  const { schema, apply } = filter('hash');

  it('replaces each personal value by its keyed hash and leaves the record as it was', () => {
    const before = structuredClone(RECORD);
    expect(apply(RECORD)).toEqual({
      id: '7',
      name: hash('WS-0001'),
      addresses: `${hash('192.0.2.17')},${hash('192.0.2.18')}`,
      seen: hash('2026-01-15T12:00:00Z'),
      desk: hash('12'),
      notes: hash('{"by":"user0001"}'),
      office: 'Branch 01',
    });
    expect(RECORD).toEqual(before);
  });

  it('has the same properties in the same order', () => {
    expect(Object.keys(schema.properties ?? {})).toEqual(Object.keys(SCHEMA.properties ?? {}));
    expect(Object.keys(apply(RECORD))).toEqual(Object.keys(RECORD));
  });

  it('publishes text that a hash fits, and says so', () => {
    const check = compileSchema(schema);
    expect(check(apply(RECORD))).toEqual([]);
    for (const name of ['name', 'seen', 'desk', 'notes']) {
      expect(schema.properties?.[name]).toEqual({
        type: ['null', 'string'],
        description: expect.stringMatching(/^\w.*\. A keyed hash stands for the value: .*HMAC-SHA-256.*\.$/),
        'x-pii': true,
      });
    }
    expect(schema.properties?.addresses?.description).toMatch(/^Addresses\. Keyed hashes stand for the elements: /);
  });

  it.each<readonly [string, string, Json]>([
    ['name', 'null', null],
    ['name', 'empty text', ''],
    ['addresses', 'null', null],
    ['addresses', 'an empty list', ''],
  ])('leaves %s alone when it is %s', (name, _what, value) => {
    expect(apply({ id: '7', [name]: value })).toEqual({ id: '7', [name]: value });
  });

  it.each([
    ['192.0.2.18,192.0.2.17', ['192.0.2.18', '192.0.2.17']],
    ['192.0.2.17', ['192.0.2.17']],
    [' 192.0.2.17 , 192.0.2.18,', ['192.0.2.17', '192.0.2.18']],
  ])('hashes the list "%s" by element, in its order', (list, elements) => {
    expect(apply({ id: '7', addresses: list }).addresses).toBe(elements.map(hash).join(','));
  });

  it('is 32 hexadecimal digits, the same for the same value in every stream', () => {
    const other = filter('hash', { type: 'object', properties: { fqdn: { type: 'string', 'x-pii': true } } });
    const { fqdn } = other.apply({ fqdn: 'WS-0001' });
    expect(fqdn).toMatch(/^[\da-f]{32}$/);
    expect(fqdn).toBe(apply(RECORD).name);
    expect(other.schema.properties?.fqdn?.type).toBe('string');
  });

  it('differs with the salt', () => {
    expect(personalFilter(SCHEMA, 'hash', 'another invented salt')?.apply(RECORD).name).not.toBe(apply(RECORD).name);
  });

  it.each([undefined, ''])('is refused without a salt (%j)', (salt) => {
    expect(() => personalFilter(SCHEMA, 'hash', salt)).toThrow(/personal_salt/);
  });
});

test.each(['drop', 'hash'] as const)('%s goes by the declaration when a catalog lost the marks', (mode) => {
  const properties = Object.fromEntries(
    Object.entries(SCHEMA.properties ?? {})
      .filter(([name]) => name !== 'desk')
      .map(([name, { type = 'string' }]) => [name, { type }]),
  );
  const { schema, apply } = filter(mode, { type: 'object', properties }, SCHEMA);
  expect(apply(RECORD).name).not.toBe('WS-0001');
  expect(schema.properties).not.toHaveProperty('desk');
  expect(Object.keys(schema.properties ?? {})).toHaveLength(mode === 'drop' ? 2 : 6);
});

test.each(STREAMS.map((stream) => [stream.name, stream] as const))(
  '%s keeps its key whatever is dropped',
  (_, stream) => {
    const schema = personalFilter(stream.schema, 'drop', undefined)?.schema ?? stream.schema;
    expect(Object.keys(schema.properties ?? {})).toEqual(expect.arrayContaining([...stream.key]));
  },
);
