/** Every relative link of every Markdown file leads somewhere. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { anchorsOf, blocksOf, DOCUMENTS, ROOT, withoutBlocks } from './documents.ts';

/** What is wrong with a link, or nothing. */
function problem(from: string, link: string): string | undefined {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? from : normalize(join(dirname(from), decodeURIComponent(path)));
  if (target.startsWith('..')) return `${link} leaves the repository`;
  if (!existsSync(join(ROOT, target))) return `${link}: no such file`;
  if (anchor === undefined) return undefined;
  if (statSync(join(ROOT, target)).isDirectory()) return `${link}: a folder has no headings`;
  const document = DOCUMENTS.find((other) => other.path === target);
  if (document === undefined) return `${link}: not a Markdown file that git knows`;
  return anchorsOf(document).has(anchor) ? undefined : `${link}: no such heading`;
}

describe('links', () => {
  test.each(DOCUMENTS.map((document) => [document.path, document] as const))('%s', (path, { text }) => {
    const prose = withoutBlocks(text).replaceAll(/`[^`\n]*`/g, '');
    const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    const relative = links.filter((link) => !/^[a-z]+:/i.test(link));
    expect(relative.map((link) => problem(path, link)).filter((wrong) => wrong !== undefined)).toEqual([]);
  });
});

describe('JSON blocks', () => {
  const blocks = DOCUMENTS.flatMap((document) =>
    blocksOf(document)
      .filter(({ language }) => language === 'json')
      .map(({ text, line }) => [`${document.path}:${line}`, text] as const),
  );
  test.each(blocks)('%s parses', (_place, text) => {
    expect(() => JSON.parse(text)).not.toThrow();
  });
});
