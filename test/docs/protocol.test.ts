/** Every sentence of docs/protocol.md with MUST names the tests that hold it, and these exist. */
import { existsSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, read } from './documents.ts';

const rules = read('docs/protocol.md')
  .split(/^(?=- )/m)
  .filter((part) => part.startsWith('- '))
  .map((part) => part.split(/\n\n/)[0]?.replaceAll(/\s*\n\s*/g, ' ') ?? '');

/** `[file](../test/…) “title”, “title”` → file and titles. */
function proofsOf(rule: string): readonly (readonly [string, string])[] {
  return [...rule.matchAll(/\]\(\.\.\/(test\/[^)]+)\)((?:,? “[^”]+”)*)/g)].flatMap(([, file = '', titles = '']) =>
    [...titles.matchAll(/“([^”]+)”/g)].map(([, title = '']) => [normalize(file), title] as const),
  );
}

/** Titles are written in the source with any quotes. */
function holds(file: string, title: string): boolean {
  if (!existsSync(join(ROOT, file))) return false;
  const source = read(file).replaceAll(/\\(['"`])/g, '$1');
  return ["'", '"', '`'].some((quote) => source.includes(`${quote}${title}${quote}`));
}

test('the page has its rules', () => expect(rules.length).toBeGreaterThan(30));

test.each(rules)('%s', (rule) => {
  expect(rule).toContain('MUST');
  const proofs = proofsOf(rule);
  expect(proofs, 'no test is named').not.toEqual([]);
  expect(proofs.filter(([file, title]) => !holds(file, title))).toEqual([]);
});
