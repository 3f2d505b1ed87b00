/**
 * What loaders for PostgreSQL do with the same input and settings that name a server and nothing else. The table of
 * docs/target-postgres.md is made of this list; the test beside it runs every line of it.
 */
import { readFileSync } from 'node:fs';
import type { Case } from './case.ts';
import type { LoaderName } from './loaders.ts';
import { MESSAGE_CASES } from './message-cases.ts';
import { VALUE_CASES } from './value-cases.ts';

export const CASES: readonly Case[] = [...VALUE_CASES, ...MESSAGE_CASES];

function version(loader: LoaderName, distribution: string): string {
  const pinned = readFileSync(new URL(`${loader}.txt`, import.meta.url), 'utf8');
  return `${distribution} ${new RegExp(`^${distribution}==(.+)$`, 'm').exec(pinned)?.[1] ?? '?'}`;
}

/** The table of the documentation. */
export function otherTargetsTable(): string {
  const heading = [
    'Input',
    'target-postgres of tapworks',
    version('meltanolabs', 'meltanolabs-target-postgres'),
    version('pipelinewise', 'pipelinewise-target-postgres'),
  ];
  const lines = CASES.map(({ input, tapworks, meltanolabs, pipelinewise }) => [
    input,
    ...[tapworks, meltanolabs, pipelinewise].map(({ words }) => words),
  ]);
  return [heading, heading.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
