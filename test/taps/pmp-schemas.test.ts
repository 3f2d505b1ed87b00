/** Rules that every schema of tap-pmp keeps. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import type { JsonSchema } from '../../singer/messages.ts';
import { BOOKKEEPING } from '../../taps/manageengine/bookkeeping.ts';
import { STREAMS } from '../../taps/pmp/streams.ts';

const FOLDER = new URL('../../schemas/pmp/', import.meta.url);
const SCHEMAS = readdirSync(FOLDER).map((file) => ({
  name: file.replace(/\.json$/, ''),
  schema: JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as JsonSchema,
}));
const ALL = [...STREAMS, ...BOOKKEEPING];
const OURS = new Set(['snapshot_id', 'extracted_at']);

/** Fields by which the vendor names people. They are not wanted at all. */
const PEOPLE =
  /^(first_name|last_name|user_?name|owner|owner_email_id|email|agent_logged_on_users|deletedby|modified_by)$/;

/** Fields that lead to a person's device, or that operators fill with what they like. */
const TELLING =
  /^(resource_name|full_name|fqdn_name|friendly_name|ip_address|mac_address|user_id|location|search_tag|response_sample)$/;

function sourcesOf(name: string, node: JsonSchema): readonly string[] {
  return (node['x-source'] as readonly string[] | undefined) ?? [name];
}

/** The last part of each dotted name a property has or is read from. */
function spellings(name: string, node: JsonSchema): readonly string[] {
  return [name, ...sourcesOf(name, node)].map((spelling) => spelling.split(/\.|__/).at(-1) ?? spelling);
}

test('there is one schema per stream', () => {
  expect(SCHEMAS.map(({ name }) => name)).toEqual(ALL.map(({ name }) => name).sort());
  expect(SCHEMAS.map(({ schema }) => schema.title)).toEqual(SCHEMAS.map(({ name }) => name));
});

describe.each(SCHEMAS)('$name', ({ name, schema }) => {
  const properties = Object.entries(schema.properties ?? {});
  const key = ALL.find((stream) => stream.name === name)?.key ?? [];

  it('says what a row is', () => {
    expect(schema.description).toMatch(/^[A-Z].{30,}\.$/);
  });

  it('describes every property in a sentence', () => {
    const poor = properties.filter(([, { description = '' }]) => !/^\S+(\s\S+){3,}\.$/.test(description));
    expect(poor.map(([property]) => property)).toEqual([]);
  });

  it('names the field that a property comes from when it is spelled otherwise', () => {
    const untold = properties.flatMap(([property, node]) =>
      sourcesOf(property, node)
        .filter((source) => source !== property && source !== '')
        .filter((source) => node.description?.includes(`"${source}"`) !== true),
    );
    expect(untold).toEqual([]);
  });

  it('declares its key, never null, and everything else nullable', () => {
    const nullable = properties.filter(([, node]) => [node.type ?? []].flat().includes('null')).map(([each]) => each);
    const solid = properties.map(([property]) => property).filter((property) => !nullable.includes(property));
    expect(new Set(solid)).toEqual(new Set([...key, ...solid.filter((property) => OURS.has(property))]));
  });

  it('has a key that names nobody', () => {
    expect(key.filter((property) => schema.properties?.[property]?.['x-pii'] !== undefined)).toEqual([]);
  });

  it('keeps no field that names people, and marks what leads to them', () => {
    const found = properties.map(([property, node]) => [property, node, spellings(property, node)] as const);
    expect(found.filter(([, , all]) => all.some((each) => PEOPLE.test(each))).map(([property]) => property)).toEqual(
      [],
    );
    const unmarked = found.filter(([, node, all]) => all.some((each) => TELLING.test(each)) && node['x-pii'] !== true);
    expect(unmarked.map(([property]) => property)).toEqual([]);
  });

  it('leaves nothing out that it also reads', () => {
    const read = new Set(properties.flatMap(([property, node]) => sourcesOf(property, node)));
    expect((schema['x-left-out'] as string[] | undefined)?.filter((field) => read.has(field)) ?? []).toEqual([]);
  });

  it('indexes columns that exist', () => {
    const indexed = ((schema['x-indexes'] as string[][] | undefined) ?? []).flat();
    expect(indexed.filter((property) => schema.properties?.[property] === undefined)).toEqual([]);
  });
});
