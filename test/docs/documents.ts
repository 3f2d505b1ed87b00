/** The Markdown files of the repository, and what the tests of the documentation look for in them. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's own folder. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** One Markdown file; `path` is relative to the repository. */
export interface Document {
  readonly path: string;
  readonly text: string;
}

function list(...patterns: readonly string[]): string[] {
  const found = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '--', ...patterns], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return [...new Set(found.split('\n'))].filter((path) => path !== '').sort();
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Every Markdown file that git knows or would add. */
export const DOCUMENTS: readonly Document[] = list('*.md').map((path) => ({ path, text: read(path) }));

/** Those below `docs/`. */
export const DOCS: readonly Document[] = DOCUMENTS.filter(({ path }) => path.startsWith('docs/'));

/** Every shipped source file. */
export const SOURCES: readonly Document[] = list(
  'bin/*.ts',
  'singer',
  'http',
  'taps',
  'targets',
  'runner',
  'profiles',
  'simulators',
)
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path, text: read(path) }));

/** A fenced block: its language, its text, the line it begins at. */
export interface Block {
  readonly language: string;
  readonly text: string;
  readonly line: number;
}

export function blocksOf({ text }: Document): readonly Block[] {
  return [...text.matchAll(/^([ ]*)```(\w*)\n([\s\S]*?)^\1```$/gm)].map((match) => {
    const [whole, indent = '', language = '', body = ''] = match;
    const line = text.slice(0, text.indexOf(whole, match.index)).split('\n').length;
    return { language, text: body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''), line };
  });
}

/** The text without fenced blocks, line by line at its place. */
export function withoutBlocks(text: string): string {
  return text.replaceAll(/^([ ]*)```[\s\S]*?^\1```$/gm, (block) => block.replaceAll(/[^\n]/g, ''));
}

/** Code spans in the first column of every table whose first heading is one of `headings`. */
export function firstColumn({ text }: Document, headings: readonly string[]): readonly string[] {
  const found: string[] = [];
  let inside = false;
  let before = '';
  for (const line of withoutBlocks(text).split('\n')) {
    if (/^\s*\|[\s:|-]+\|\s*$/.test(line)) inside = headings.includes(before.split('|')[1]?.trim() ?? '');
    else if (!line.trimStart().startsWith('|')) inside = false;
    else if (inside) found.push(...[...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code));
    before = line;
  }
  return found;
}

/** Heading anchors as GitHub makes them. */
export function anchorsOf({ text }: Document): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutBlocks(text).matchAll(/^#{1,6} (.+)$/gm)) {
    const plain = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-');
    let anchor = plain;
    for (let copy = 1; anchors.has(anchor); copy += 1) anchor = `${plain}-${copy}`;
    anchors.add(anchor);
  }
  return anchors;
}
