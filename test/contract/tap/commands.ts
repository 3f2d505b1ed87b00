/** Discovery, selection, settings and the flags that do not extract. */
import { expect } from 'vitest';
import { catalogOf } from '../../../singer/catalog.ts';
import type { Json } from '../../../singer/lossless.ts';
import type { JsonSchema } from '../../../singer/messages.ts';
import type { StreamDeclaration } from '../../../singer/stream.ts';
import { type Output, object, runOnce } from './outside.ts';
import type { Cases, Scene } from './scene.ts';

interface Entry {
  readonly tap_stream_id: string;
  readonly metadata: { readonly breadcrumb: readonly string[]; readonly metadata: object }[];
}

/** The discovered catalog with `selected` set where a test says so. */
function catalogWith(scene: Scene, selected: (stream: string, path: readonly string[]) => boolean | undefined): Json {
  const catalog = JSON.parse(JSON.stringify(catalogOf(scene.streams))) as { streams: Entry[] };
  for (const { tap_stream_id, metadata } of catalog.streams) {
    for (const [index, { breadcrumb, metadata: found }] of metadata.entries()) {
      const choice = selected(
        tap_stream_id,
        breadcrumb.filter((_, at) => at % 2 === 1),
      );
      if (choice !== undefined) metadata[index] = { breadcrumb, metadata: { ...found, selected: choice } };
    }
  }
  return catalog as unknown as Json;
}

function streamsOf(scene: Scene): readonly StreamDeclaration[] {
  const wanted = scene.source.settings.streams;
  return scene.streams.filter(
    ({ name, automatic, selectedByDefault }) =>
      !automatic && (Array.isArray(wanted) ? wanted.includes(name) : selectedByDefault),
  );
}

function schemaOf(output: Output, stream: string): JsonSchema {
  const found = output.messages.find((message) => message.type === 'SCHEMA' && message.stream === stream);
  return object(object(found).schema) as JsonSchema;
}

/** Ended with 1 and said so in one line, with no message on stdout and no request made. */
function expectRefused(scene: Scene, output: Output, ...texts: readonly string[]): void {
  expect(output.code).toBe(1);
  expect(output.stdout).toBe('');
  expect(scene.source.requests()).toBe(0);
  const critical = output.logs.filter(({ level }) => level === 'CRITICAL');
  expect(critical).toHaveLength(1);
  for (const text of texts) expect(critical[0]?.message).toContain(text);
}

export const commandCases: Cases = {
  async '--discover prints the streams, without requests, and without settings when they are declared'(scene) {
    const isDeclared = scene.source.streams === undefined;
    const output = await (isDeclared
      ? runOnce(scene.subject.tap, ['--discover'])
      : scene.run({ argv: ['--discover'] }));
    expect(output.code).toBe(0);
    expect(scene.source.requests()).toBe(0);
    const { streams } = JSON.parse(output.stdout) as {
      streams: (Entry & { key_properties: readonly string[]; schema: JsonSchema })[];
    };
    const declared = [...scene.streams].sort((a, b) => (a.name < b.name ? -1 : 1));
    expect(streams.map(({ tap_stream_id, key_properties, schema }) => [tap_stream_id, key_properties, schema])).toEqual(
      declared.map(({ name, key, schema }) => [name, key, JSON.parse(JSON.stringify(schema))]),
    );
    for (const { metadata, schema } of streams) {
      const top = metadata.filter(({ breadcrumb }) => breadcrumb.length === 2).map(({ breadcrumb }) => breadcrumb[1]);
      expect(top).toEqual(Object.keys(schema.properties ?? {}));
    }
  },

  async '--test asks every selected stream and writes no message'(scene) {
    const output = await scene.run({ argv: ['--test'] });
    expect(output.code, output.summary).toBe(0);
    expect(output.stdout).toBe('');
    expect(output.events('test_passed').map(({ stream }) => stream)).toEqual(streamsOf(scene).map(({ name }) => name));
  },

  async '--test=schema writes the schemas alone and makes no request'(scene) {
    const output = await scene.run({ argv: ['--test=schema'] });
    expect(output.code).toBe(0);
    expect(new Set(output.messages.map(({ type }) => type))).toEqual(new Set(['SCHEMA']));
    expect(scene.source.requests()).toBe(0);
  },

  async 'a catalog selects streams; the books are always in'(scene) {
    const [first] = streamsOf(scene);
    const catalog = catalogWith(scene, (stream, path) => (path.length === 0 ? stream === first?.name : undefined));
    const output = await scene.run({ catalog });
    expect(output.code).toBe(0);
    const books = scene.streams.filter(({ automatic }) => automatic).map(({ name }) => name);
    const written = output.messages.filter(({ type }) => type === 'SCHEMA').map(({ stream }) => stream);
    expect([...written].sort()).toEqual([first?.name, ...books].sort());
  },

  async 'an unknown stream in the catalog is refused with the nearest name'(scene) {
    const [first] = streamsOf(scene);
    const name = `${first?.name}x`;
    const output = await scene.run({
      catalog: {
        streams: [{ tap_stream_id: name, stream: name, metadata: [{ breadcrumb: [], metadata: { selected: true } }] }],
      },
    });
    expectRefused(scene, output, name, `"${first?.name}"`);
  },

  async 'a deselected property is in no schema and in no record; keys stay'(scene) {
    const wanted = streamsOf(scene);
    const dropped = new Map(
      wanted.map(({ name, key, schema }) => [
        name,
        Object.keys(schema.properties ?? {})
          .filter((property) => !key.includes(property))
          .slice(0, 2),
      ]),
    );
    const output = await scene.run({
      catalog: catalogWith(scene, (stream, path) => {
        if (path.length === 0) return dropped.has(stream);
        const [property = ''] = path;
        // A deselected key is a slip that must not cost the key.
        return dropped.get(stream)?.includes(property) ||
          wanted.some(({ name, key }) => name === stream && key.includes(property))
          ? false
          : undefined;
      }),
    });
    expect(output.code).toBe(0);
    for (const { name, key, schema } of wanted) {
      const left = Object.keys(schema.properties ?? {}).filter((property) => !dropped.get(name)?.includes(property));
      expect(Object.keys(schemaOf(output, name).properties ?? {})).toEqual(left);
      expect(output.records(name).length).toBeGreaterThan(0);
      for (const record of output.records(name)) {
        expect(Object.keys(record)).toEqual(left);
        for (const property of key) expect(record[property]).not.toBeNull();
      }
    }
  },

  async 'wrong settings are told all at once, before any request'(scene) {
    const output = await scene.run({ settings: scene.subject.wrong.settings });
    expectRefused(scene, output, ...scene.subject.wrong.names);
  },

  async 'an unknown setting is refused with the nearest name'(scene) {
    const [name = ''] = Object.keys(scene.subject.tap.settings.properties);
    expectRefused(scene, await scene.run({ settings: { [`${name}s`]: 1 } }), `${name}s`, `did you mean "${name}"`);
  },

  async 'settings that begin with an underscore are ignored'(scene) {
    expect((await scene.run({ settings: { _comment: 'ours' }, argv: ['--test=schema'] })).code).toBe(0);
  },
};

/** Streams with a declared property below a property. */
function nested(subject: Scene['subject']): readonly (readonly [stream: string, above: string, below: string])[] {
  return subject.tap.streams.flatMap(({ name, schema }) =>
    Object.entries(schema.properties ?? {}).flatMap(([above, node]) =>
      Object.keys(node.properties ?? {})
        .slice(0, 1)
        .map((below) => [name, above, below] as const),
    ),
  );
}

/** Cases that only some taps can show. */
export function nestedCases(subject: Scene['subject']): Cases {
  const places = nested(subject);
  if (places.length === 0) return {};
  return {
    async 'a deselected property below a property vanishes, its siblings stay'(scene) {
      const output = await scene.run({
        catalog: catalogWith(scene, (stream, path) => {
          if (path.length === 0) return places.some(([name]) => name === stream);
          return path.length === 2 &&
            places.some(([name, above, below]) => name === stream && above === path[0] && below === path[1])
            ? false
            : undefined;
        }),
      });
      for (const [stream, above, below] of places) {
        expect(Object.keys(schemaOf(output, stream).properties?.[above]?.properties ?? {})).not.toContain(below);
        for (const record of output.records(stream)) {
          const value = record[above];
          if (value !== null && value !== undefined) expect(Object.keys(object(value))).not.toContain(below);
        }
      }
    },
  };
}
