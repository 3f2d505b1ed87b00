/** Rules that every schema of tap-dcapi keeps, and that its books are those of tap-pmp under other names. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import type { JsonSchema } from '../../singer/messages.ts';
import { STREAMS } from '../../taps/dcapi/streams.ts';
import { tap as dcapi } from '../../taps/dcapi/tap.ts';
import { BOOKS, booksOf } from '../../taps/manageengine/bookkeeping.ts';
import { declarationsOf } from '../../taps/manageengine/streams.ts';

const FOLDER = new URL('../../schemas/dcapi/', import.meta.url);
const SCHEMAS = readdirSync(FOLDER).map((file) => ({
  name: file.replace(/\.json$/, ''),
  schema: JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as JsonSchema,
}));
const ALL = declarationsOf(STREAMS);
const OURS = ['snapshot_id', 'extracted_at'];

/** Fields that lead to a person's device. */
const TELLING = ['resource_name', 'fqdn_name', 'ip_address'];

test('there is one schema per stream', () => {
  expect(SCHEMAS.map(({ name }) => name)).toEqual(ALL.map(({ name }) => name).sort());
  expect(SCHEMAS.map(({ schema }) => schema.title)).toEqual(SCHEMAS.map(({ name }) => name));
});

test('checkpoints and gaps have tables of their own with the columns of the others', () => {
  const own = booksOf('dcapi_');
  expect(own.streams.map(({ name }) => name)).toEqual([
    'snapshots',
    'endpoint_runs',
    'dcapi_extraction_checkpoints',
    'dcapi_extraction_gaps',
  ]);
  expect(own.streams.map(({ schema }) => schema)).toEqual(BOOKS.streams.map(({ schema }) => schema));
  for (const { name } of own.streams) expect(dcapi.streams.map((stream) => stream.name)).toContain(name);
});

describe.each(SCHEMAS)('$name', ({ name, schema }) => {
  const properties = Object.entries(schema.properties ?? {});
  const key = ALL.find((stream) => stream.name === name)?.key ?? [];

  it('describes itself and every property', () => {
    expect(schema.description).toMatch(/^[A-Z].{30,}\.$/);
    const poor = properties.filter(([, { description = '' }]) => !/^\S+(\s\S+){3,}\.$/.test(description));
    expect(poor.map(([property]) => property)).toEqual([]);
  });

  it('declares its key, never null, and everything else nullable', () => {
    const solid = properties.filter(([, node]) => ![node.type ?? []].flat().includes('null')).map(([each]) => each);
    expect(new Set(solid)).toEqual(new Set([...key, ...OURS]));
  });

  it('marks what leads to a person, and indexes columns that exist', () => {
    const unmarked = properties.filter(([property, node]) => TELLING.includes(property) && node['x-pii'] !== true);
    expect(unmarked.map(([property]) => property)).toEqual([]);
    const indexed = ((schema['x-indexes'] as string[][] | undefined) ?? []).flat();
    expect(indexed.filter((property) => schema.properties?.[property] === undefined)).toEqual([]);
  });
});

describe('patch_system_mapping', () => {
  const { schema } = SCHEMAS.find(({ name }) => name === 'patch_system_mapping') ?? expect.fail('missing');

  it('has every column that the requirement names', () => {
    const names = ['resource_id', 'patch_id', 'patchname', 'severity', 'patch_status', 'bulletinid', 'vendor_name'];
    expect(Object.keys(schema.properties ?? {})).toEqual([...names, 'installed_time', ...OURS]);
  });

  it('is found by patch, by bulletin and by severity without reading it all', () => {
    const leading = ((schema['x-indexes'] ?? []) as string[][]).map(([first]) => first);
    expect(leading).toEqual(['patch_id', 'bulletinid', 'severity']);
  });
});
