import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const FORBIDDEN = [
  ['singer', '../http/client.ts'],
  ['singer', '../taps/pmp/tap.ts'],
  ['singer', '../test/contract/memory-io.ts'],
  ['singer', 'undici'],
  ['http', '../taps/pmp/tap.ts'],
  ['http', '../simulators/faults.ts'],
  ['http', 'yargs'],
  ['taps/pmp', '../../targets/sqlite/target.ts'],
  ['taps/pmp', '../../simulators/faults.ts'],
  ['taps/pmp', 'undici'],
  ['taps/pmp', 'better-sqlite3'],
  ['taps/pmp', '../../profiles/grammar.ts'],
  ['taps/plex', '../../targets/sqlite/target.ts'],
  ['taps/plex', '../../simulators/plex/server.ts'],
  ['taps/plex', 'undici'],
  ['taps/servicedesk-sqlite', '../../http/client.ts'],
  ['taps/servicedesk-sqlite', '../../targets/columns.ts'],
  ['taps/servicedesk-sqlite', 'pg'],
  ['targets/sqlite', '../../http/client.ts'],
  ['targets/sqlite', '../../taps/pmp/tap.ts'],
  ['targets/sqlite', 'ajv'],
  ['targets/sqlite', 'pg'],
  ['targets/sqlite', '../postgres/sql.ts'],
  ['targets/postgres', 'better-sqlite3'],
  ['targets', 'pg'],
  ['simulators', '../singer/io.ts'],
  ['simulators', 'better-sqlite3'],
  ['simulators/servicedesk', '../../singer/io.ts'],
  ['simulators/servicedesk', 'pg'],
  ['profiles', '../singer/io.ts'],
  ['profiles', '../schemas/pmp.ts'],
  ['profiles', 'pg'],
  ['targets', '../profiles/grammar.ts'],
  ['runner', '../taps/pmp/tap.ts'],
  ['runner', '../targets/sqlite/target.ts'],
  ['runner', '../bench/run.ts'],
] as const;

const ALLOWED = [
  ['taps/pmp', '../../http/exchange.ts'],
  ['taps/pmp', '../../singer/io.ts'],
  ['taps/plex', '../../http/token-bucket.ts'],
  ['taps/plex', '../../schemas/plex/parts.json'],
  ['taps/servicedesk-sqlite', '../../profiles/grammar.ts'],
  ['taps/servicedesk-sqlite', 'better-sqlite3'],
  ['http', 'undici'],
  ['targets/sqlite', 'better-sqlite3'],
  ['targets/postgres', 'pg'],
  ['profiles', '../singer/errors.ts'],
  ['profiles', '../singer/lossless.ts'],
  ['profiles', 'better-sqlite3'],
  ['runner', '../simulators/manageengine/server.ts'],
  ['simulators/servicedesk', 'better-sqlite3'],
] as const;

const folder = mkdtempSync(join(tmpdir(), 'tapworks-zones-'));
let report = '';

function place(file: string, source: string): void {
  const path = join(folder, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, source);
}

beforeAll(() => {
  const config = JSON.parse(readFileSync('biome.json', 'utf8'));
  place('biome.json', JSON.stringify({ ...config, $schema: undefined, vcs: { enabled: false } }));
  [...FORBIDDEN, ...ALLOWED].forEach(([room, imported], index) => {
    place(`${room}/static${index}.ts`, `import { x } from '${imported}';\nx();\n`);
    place(`${room}/dynamic${index}.ts`, `export const x = () => import('${imported}');\n`);
  });
  place('singer/process.ts', 'export const x = process.env.HOME;\n');
  place('taps/console.ts', 'console.log(1);\n');
  const { stdout, stderr } = spawnSync(
    join(process.cwd(), 'node_modules/.bin/biome'),
    ['lint', '--colors=off', '--max-diagnostics=none', '.'],
    { cwd: folder, encoding: 'utf8' },
  );
  report = stdout + stderr;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the linter says about a file. */
const rulesOf = (file: string) =>
  [...report.matchAll(/^(\S+?):\d+:\d+ lint\/\w+\/(\w+)/gm)]
    .filter(([, path]) => path === file)
    .map(([, , rule]) => rule);

test.each(FORBIDDEN.map((entry, index) => [...entry, index] as const))(
  '%s may not import %s',
  (room, _imported, index) => {
    expect(rulesOf(`${room}/static${index}.ts`)).toContain('noRestrictedImports');
    expect(rulesOf(`${room}/dynamic${index}.ts`)).toContain('noRestrictedImports');
  },
);

test.each(ALLOWED.map((entry, index) => [...entry, FORBIDDEN.length + index] as const))(
  '%s may import %s',
  (room, _imported, index) => {
    expect(rulesOf(`${room}/static${index}.ts`)).not.toContain('noRestrictedImports');
  },
);

test('only singer/io.ts looks at the process, and nobody uses the console', () => {
  expect(rulesOf('singer/process.ts')).toContain('noRestrictedGlobals');
  expect(rulesOf('taps/console.ts')).toContain('noConsole');
});
