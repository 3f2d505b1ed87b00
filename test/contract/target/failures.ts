/** Input that must stop a load: rows and state before the fault are kept, nothing after it is read. */
import { expect } from 'vitest';
import type { Cases, Scene } from '../target.ts';
import { messages, sorted } from './load.ts';

/** Each file has users 1 and 2 with their states, then the fault, then user 3 with its state. */
function stopsAt(file: string, line: number | undefined, stream: string | undefined, text: RegExp) {
  return async ({ load, destination }: Scene): Promise<void> => {
    const { code, states, critical } = await load(await messages(file));
    expect(code).toBe(1);
    expect(critical).toHaveLength(1);
    expect(critical[0]?.message).toMatch(text);
    if (line !== undefined) {
      expect(critical[0]?.message).toContain(`line ${line}`);
      expect(critical[0]?.line).toBe(line);
    }
    if (stream !== undefined) {
      expect(critical[0]?.message).toContain(`"${stream}"`);
      expect(critical[0]?.stream).toBe(stream);
    }
    expect(states.at(-1)).toBe('{"n":2}');
    expect(sorted(await destination.rows('users'), 'id')).toEqual([
      { id: '1', name: 'a' },
      { id: '2', name: 'b' },
    ]);
  };
}

export const failureCases: Cases = {
  'a record before its schema': stopsAt('record_before_schema', 6, 'orders', /before its schema/),
  'a record without its key': stopsAt('key_missing', 6, 'users', /no value for its key "id"/),
  'a record whose key is null': stopsAt('key_null', 6, 'users', /no value for its key "id"/),
  'a line that is not JSON': stopsAt('not_json', 6, undefined, /not JSON: Traceback/),
  'a last line that was cut off': stopsAt('cut_last_line', 6, undefined, /not JSON/),
  'a record that does not fit its schema': stopsAt('invalid_record', 6, 'users', /"id" must be integer/),
  'a key that is not in the schema': stopsAt('key_not_in_schema', 6, 'orders', /key property "id"/),
  'a key that changes': stopsAt('key_changed', undefined, 'users', /has the key \(id\).*now has the key \(name\)/),
  'a key that changes its type': stopsAt('key_type_changed', undefined, 'users', /key column "id"/),

  'an unchecked value that its column cannot hold': async ({ load, destination }) => {
    const { code, states, critical } = await load(await messages('invalid_record'), {
      settings: { validate_records: false },
    });
    expect(code).toBe(1);
    expect(critical[0]?.message).toMatch(/"users".*"id"/);
    expect(critical[0]?.message).not.toContain('three');
    const rows = await destination.rows('users');
    expect(rows.length).toBeLessThanOrEqual(2);
    // Whatever was confirmed is there: a state may never be ahead of its rows.
    if (states.length > 0) expect(rows).toHaveLength(2);
  },
  'unchecked text that is a number goes into its column': async ({ load, destination }) => {
    const input = (await messages('invalid_record')).replace('"three"', '"30"');
    const { code } = await load(input, { settings: { validate_records: false } });
    expect(code).toBe(0);
    expect((await destination.rows('users')).map(({ id }) => id).sort()).toEqual(['1', '2', '3', '30']);
  },
};
