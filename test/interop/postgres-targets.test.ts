/**
 * The same input for every loader, each into a database of its own. `npm run test:interop` installs the public ones from
 * PyPI at the versions of the files beside this one; it needs Python 3.10 or newer.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, type TestDatabase } from '../postgres/database.ts';
import type { Case } from './case.ts';
import { feed, type Loader, type LoaderName, openLoaders } from './loaders.ts';
import { CASES } from './postgres-cases.ts';

let folder: string;
let loaders: readonly Loader[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tapworks-interop-'));
  loaders = openLoaders(folder);
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function messages(name: string): string {
  const own = new URL(`messages/${name}.jsonl`, import.meta.url);
  return readFileSync(existsSync(own) ? own : new URL(`../messages/${name}.jsonl`, import.meta.url), 'utf8');
}

/** What a query answers, row by row; `none` without the table. */
async function stored({ query }: TestDatabase, sql: string): Promise<string> {
  try {
    return (await query(sql)).map((row) => Object.values(row)[0] ?? 'NULL').join(' | ');
  } catch (error) {
    if ((error as { code?: string }).code === '42P01') return 'none';
    throw error;
  }
}

async function check({ files, query, ...answers }: Case, name: LoaderName): Promise<void> {
  const loader = loaders.find((one) => one.name === name) as Loader;
  const { ends, stored: expected, states, says } = answers[name];
  const database = await openDatabase();
  try {
    let [status, printed, log]: [number | null, readonly string[], string] = [0, [], ''];
    for (const file of files) {
      if (status !== 0) break;
      ({ status, states: printed, log } = await feed(loader, database.url, messages(file), folder));
    }
    expect(status === 0 ? 'well' : 'badly', log).toBe(ends);
    if (expected !== undefined) expect(await stored(database, query)).toBe(expected);
    if (states !== undefined) expect(printed).toEqual(states);
    if (says !== undefined) expect(log).toMatch(says);
  } finally {
    await database.close();
  }
}

describe.each(CASES.map((one) => [one.input, one] as const))('%s', (_input, one) => {
  for (const name of ['tapworks', 'meltanolabs', 'pipelinewise'] as const) test(name, () => check(one, name));
});
