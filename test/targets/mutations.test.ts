import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MUTATIONS } from './mutations.ts';

test.each(MUTATIONS)('"$fault" can still be made', ({ file, original, mutated }) => {
  const source = readFileSync(join(import.meta.dirname, '../..', file), 'utf8');
  expect(source.split(original)).toHaveLength(2);
  expect(mutated).not.toBe(original);
});
