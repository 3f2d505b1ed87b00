/** Values come back as they were sent, to the digit and the character. */
import { expect } from 'vitest';
import type { Cases } from '../target.ts';
import { lines, messages, sorted } from './load.ts';

interface Sent {
  readonly [property: string]: string | null;
}

/** The properties of each record as the text that stands in the file: no parser rounds what is expected. */
function sent(input: string, properties: readonly string[]): Sent[] {
  return input
    .split('\n')
    .filter((line) => line.includes('"RECORD"'))
    .map((line) => {
      const record = line.slice(line.indexOf('"record":'));
      return Object.fromEntries(
        properties.map((property) => {
          const text = new RegExp(`"${property}": ?("(?:[^"\\\\]|\\\\.)*"|[^,}]+)`).exec(record)?.[1] ?? 'null';
          return [property, text === 'null' ? null : text.startsWith('"') ? (JSON.parse(text) as string) : text];
        }),
      );
    });
}

const json = (text: string | null | undefined): unknown =>
  typeof text === 'string'
    ? JSON.parse(text, (_key, value, context) =>
        typeof value === 'number' ? `number ${context.source}` : (value as unknown),
      )
    : text;

export const valueCases: Cases = {
  'objects, arrays and untyped values are kept as JSON': async ({ load, destination }) => {
    await load(await messages('nested_json'));
    const rows = sorted(await destination.rows('docs'), 'id');
    const read = rows.map(({ tags, meta, free, mixed, ref }) => [tags, meta, free, mixed, ref].map(json));
    expect(read).toEqual([
      [
        ['a', 'b " c', ''],
        {
          big: 'number 12345678901234567890',
          price: 'number 1.10000000000000000001',
          deep: [['number 1', ['number 2']]],
        },
        'text',
        { a: 'number 1' },
        { city: 'Berlin', inside: { city: null } },
      ],
      [[], {}, 'number 5', 'just text', null],
      [null, null, null, [true, null], {}],
      [null, null, false, null, null],
    ]);
  },
  'every scalar type': async ({ load, destination }) => {
    const { code } = await load(await messages('types'));
    expect(code).toBe(0);
    const rows = sorted(await destination.rows('types'), 'id');
    expect(rows.map(({ flag }) => flag)).toEqual(['true', 'false', null, null, null]);
    expect(rows.map(({ ratio }) => Number(ratio))).toEqual([1.5, -0.1, 5e-324, Number.MAX_VALUE, 34639314995]);
    expect(rows.map(({ count }) => count)).toEqual(['3', '0', null, null, '-5']);
    expect(rows.map(({ either }) => either).slice(0, 2)).toEqual(['not a date', '2026-01-31T06:00:00Z']);
    expect(rows.map(({ level }) => level).slice(0, 2)).toEqual(['low', 'high']);
    expect(rows.map(({ both }) => both).slice(0, 2)).toEqual(['4', '0']);
  },
  'integers beyond what a double holds': async ({ load, destination }) => {
    const input = await messages('big_integers');
    const { code, critical } = await load(input);
    expect([code, critical]).toEqual([0, []]);
    expect(sorted(await destination.rows('big'), 'id')).toEqual(sent(input, ['id', 'n', 'wide']));
  },
  'keys beyond what a double holds': async ({ load, destination }) => {
    const input = await messages('big_integer_keys');
    const last = new Map(sent(input, ['id', 'v']).map(({ id, v }) => [id, v]));
    for (const _run of [1, 2]) {
      await load(input);
      const rows = (await destination.rows('big')).map(({ id, v }) => [id, v] as const);
      expect(new Map(rows)).toEqual(last);
      expect(rows).toHaveLength(last.size);
    }
  },
  'decimals keep every digit': async ({ load, destination }) => {
    const input = await messages('long_decimals');
    await load(input);
    expect(sorted(await destination.rows('money'), 'id')).toEqual(sent(input, ['id', 'n', 'd', 's']));
  },
  'keys that are numbers with a fraction': async ({ load, destination }) => {
    await load(await messages('number_keys'));
    const rows = sorted(await destination.rows('prices'), 'v');
    expect(rows.map(({ price, v }) => [Number(price), v])).toEqual([
      [1.5, 'a2'],
      [34639314995, 'b2'],
      [0.1, 'c'],
    ]);
  },
  'empty text is not null': async ({ load, destination }) => {
    await load(await messages('empty_string_and_null'));
    expect(sorted(await destination.rows('users'), 'id').map(({ name }) => name)).toEqual([
      '',
      null,
      null,
      ' ',
      'NULL',
      '\\N',
    ]);
  },
  'control characters, quotes and backslashes': async ({ load, destination }) => {
    const input = await messages('awkward_text');
    await load(input);
    expect(sorted(await destination.rows('users'), 'id')).toEqual(sent(input, ['id', 'name']));
  },
  'the NUL character': async ({ load, destination }) => {
    await load(await messages('nul_character'));
    expect(sorted(await destination.rows('users'), 'id').map(({ name }) => name)).toEqual(['before\0after', '\0']);
  },
  'text of all scripts': async ({ load, destination }) => {
    const input = await messages('unicode');
    await load(input);
    expect(sorted(await destination.rows('users'), 'id')).toEqual(sent(input, ['id', 'name']));
  },
  'half characters are replaced and counted': async ({ load, destination }) => {
    const { code, logs } = await load(await messages('lone_surrogates'));
    expect(code).toBe(0);
    const names = sorted(await destination.rows('users'), 'id').map(({ name }) => name);
    expect(names).toEqual(['a\ufffdb', '\ufffd', 'fine']);
    expect(logs.find(({ event_type }) => event_type === 'surrogates_replaced')?.count).toBe(2);
  },
  'a column whose type changes keeps old and new values': async ({ load, destination }) => {
    const { code } = await load(await messages('type_changed'));
    expect(code).toBe(0);
    expect(sorted(await destination.rows('users'), 'id').map(({ v }) => v)).toEqual([
      '12345678901',
      '007',
      'text',
      '1.5',
    ]);
  },
  'text of several MiB': async ({ load, destination }) => {
    const name = 'große Zeile \\ " \n'.repeat(250_000);
    const input = lines(
      {
        type: 'SCHEMA',
        stream: 'users',
        schema: { properties: { id: { type: 'integer' }, name: { type: 'string' } } },
      },
      { type: 'RECORD', stream: 'users', record: { id: 1, name } },
      { type: 'STATE', value: { n: 1 } },
    );
    const { code, states } = await load(input, { chunk: 65_536 });
    expect([code, states]).toEqual([0, ['{"n":1}']]);
    expect((await destination.rows('users'))[0]?.name === name).toBe(true);
  },
  'a value that has been the same in many rows, and then is not': async ({ load, destination }) => {
    const properties = { id: { type: 'integer' }, at: { type: ['null', 'string'] }, n: { type: ['null', 'integer'] } };
    const at = (id: number) => (id < 137 ? 'same' : id < 261 ? `other ${id % 3}` : null);
    const rows = Array.from({ length: 400 }, (_, id) => ({ id, at: at(id), n: id === 290 ? 2 : 1 }));
    const { code } = await load(
      lines(
        { type: 'SCHEMA', stream: 'users', schema: { properties }, key_properties: ['id'] },
        ...rows.map((record) => ({ type: 'RECORD', stream: 'users', record })),
      ),
      { settings: { batch_rows: 1_000 }, chunk: 65_536 },
    );
    expect(code).toBe(0);
    const stored = (await destination.rows('users')).toSorted((a, b) => Number(a.id) - Number(b.id));
    expect(stored).toEqual(rows.map(({ id, at: value, n }) => ({ id: String(id), at: value, n: String(n) })));
  },
};
