/** The suites of a target fail on each fault that is built into a copy of the sources. */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env, execPath } from 'node:process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MUTATIONS } from '../targets/mutations.ts';

const ROOT = join(import.meta.dirname, '../..');
const PARTS = [
  'bin',
  'schemas',
  'singer',
  'targets',
  'test/contract',
  'test/http',
  'test/messages',
  'test/pipe',
  'test/postgres',
  'test/singer',
  'test/targets',
];
const names = (words: string) => words.split(' ').map((name) => `test/targets/${name}.test.ts`);
const SUITES = {
  sqlite: names('sqlite sqlite-paths sqlite-tables'),
  postgres: names(
    'postgres postgres-encoding postgres-types postgres-hand-made postgres-round-trip postgres-failures postgres-overwrite postgres-hostile postgres-commits',
  ),
};
type Tested = keyof typeof SUITES;
const TESTED = Object.keys(SUITES) as Tested[];

/** A fault of what both targets share must be noticed by the suites of each. */
const CASES = MUTATIONS.flatMap((mutation) => {
  const own = TESTED.filter((target) => mutation.file.startsWith(`targets/${target}/`));
  return (own.length > 0 ? own : TESTED).map((target) => ({ ...mutation, target }));
});

let copy: string;

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'tapworks-mutant-'));
  for (const part of [...PARTS, 'package.json', 'tsconfig.json', 'vitest.config.ts']) {
    cpSync(join(ROOT, part), join(copy, part), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** Runs a target's suites on the copy and says whether they passed, and what they said. */
function suites(target: Tested): Promise<{ passed: boolean; output: string }> {
  const words = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'tapworks', '--bail', '1', ...SUITES[target]];
  const { TAPWORKS_SOAK: _soak, VITEST: _vitest, ...rest } = env;
  return new Promise((resolve) => {
    const child = spawn(execPath, words, { cwd: copy, env: rest, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => {
        output += String(data);
      });
    }
    child.on('close', (code) => resolve({ passed: code === 0, output }));
  });
}

test.each(TESTED)(
  'the copy itself passes: %s',
  async (target) => {
    const { passed, output } = await suites(target);
    expect(passed, output.slice(-3_000)).toBe(true);
  },
  600_000,
);

test.each(CASES)(
  '$target fails when $fault',
  async ({ file, original, mutated, target }) => {
    const path = join(copy, file);
    const source = readFileSync(path, 'utf8');
    writeFileSync(
      path,
      source.replace(original, () => mutated),
    );
    try {
      const { passed, output } = await suites(target);
      expect(passed).toBe(false);
      // A copy that cannot even be loaded would fail too, and prove nothing.
      expect(output).toMatch(/Tests .*\d+ failed/);
    } finally {
      writeFileSync(path, source);
    }
  },
  600_000,
);
