import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { version } from '../../singer/version.ts';
import { folder } from './folder.ts';

const files = folder();
const here = join(import.meta.dirname, 'fixtures');
const executable = join(here, 'tap-fixture.ts');

function environment(more: Record<string, string> = {}): Record<string, string | undefined> {
  return { ...process.env, NODE_OPTIONS: '', TAPWORKS_NOW: undefined, ...more };
}

function run(argv: readonly string[], env: Record<string, string> = {}, preload?: string) {
  const node = preload === undefined ? [] : ['--import', join(here, preload)];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...node, executable, ...argv], {
    encoding: 'utf8',
    env: environment(env),
  });
  return { status, stdout, stderr };
}

describe('answers that need no library', () => {
  test.each<[string[], RegExp]>([
    [['--version'], new RegExp(`^tap-fixture v${version.replaceAll('.', '\\.')}\n$`)],
    [['--about'], /^tap-fixture v.*: Writes rows for process tests\.\n/],
    [['--about', '--format', 'json'], /^\{\n {2}"name": "tap-fixture"/],
    [['--about', '--format=markdown'], /^# `tap-fixture`\n/],
    [['--about=json'], /^\{\n {2}"name": "tap-fixture"/],
    [['--about=markdown'], /^# `tap-fixture`\n/],
    [['--format', 'text', '--about'], /^tap-fixture v/],
  ])('%j', (argv, expected) => {
    const list = files.at('modules');
    const { status, stdout, stderr } = run(argv, { RECORD_MODULES: list }, 'record-modules.mjs');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(expected);
    const modules = readFileSync(list, 'utf8').split('\n');
    expect(modules.some((url) => url.endsWith('/singer/version.ts'))).toBe(true);
    expect(modules.filter((url) => url.includes('/node_modules/'))).toEqual([]);
  });

  test('the recorder sees the libraries of a real run', () => {
    const list = files.at('modules');
    run([], { RECORD_MODULES: list }, 'record-modules.mjs');
    const modules = readFileSync(list, 'utf8');
    for (const name of ['ajv', 'pino']) expect(modules).toContain(`/node_modules/${name}/`);
    for (const name of ['yargs', 'prom-client', 'cli-progress', '@napi-rs/keyring'])
      expect(modules).not.toContain(`/${name}/`);
  });

  test.each([['--about=yaml'], ['--about', '--format', 'yaml'], ['--about', '--format']])(
    '%j: no such format',
    (...argv) => {
      const { status, stdout, stderr } = run(argv);
      expect([status, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^tap-fixture: --about has no format ".*": json, markdown or text\n$/);
    },
  );
});

describe('the Node it runs on', () => {
  test.each(['20.11.0', '22.18.0', '18.0.0'])('%s is too old: one line, exit 1', (node) => {
    const { status, stdout, stderr } = run(['--version'], { FAKED_NODE: node }, 'old-node.mjs');
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^tap-fixture needs Node 22\.19 or newer and was started by [\d.]+; .*\n$/);
    expect(stderr).toContain(node);
  });

  test.each(['22.19.0', '24.0.0'])('%s is new enough', (node) => {
    expect(run(['--version'], { FAKED_NODE: node }, 'old-node.mjs').status).toBe(0);
  });

  test('is looked at before anything else is imported', () => {
    const source = readFileSync(new URL('../../bin/start.ts', import.meta.url), 'utf8');
    expect(source).not.toMatch(/^import\s(?!type)/m);
  });
});

describe('TAPWORKS_NOW', () => {
  test('is the clock of the run', () => {
    const { status, stdout } = run([], { TAPWORKS_NOW: '2020-05-05T05:05:00Z' });
    expect(status).toBe(0);
    expect(stdout).toContain('"at":"2020-05-05T05:05:');
  });

  test('invalid: one line, exit 1', () => {
    const { status, stdout, stderr } = run([], { TAPWORKS_NOW: 'tomorrow' });
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^tap-fixture: TAPWORKS_NOW is "tomorrow", which is not a date and time — .*\n$/);
  });
});

describe('a run', () => {
  test('writes messages to stdout and log lines to stderr', () => {
    const { status, stdout, stderr } = run([]);
    expect(status).toBe(0);
    const types = stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type);
    expect(types).toEqual(['SCHEMA', 'RECORD', 'RECORD', 'RECORD', 'STATE', 'RECORD', 'RECORD', 'RECORD', 'STATE']);
    expect(JSON.parse(stderr)).toMatchObject({ level: 'INFO', event_type: 'run_complete' });
    expect(stderr).not.toMatch(/error|exception/i);
  });

  test('a mistake: exit 1, one line', () => {
    const { status, stdout, stderr } = run(['--confg', 'x']);
    expect([status, stdout]).toEqual([1, '']);
    expect(JSON.parse(stderr)).toMatchObject({ level: 'CRITICAL', message: expect.stringContaining('--config') });
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('%s ends it in order', async (signal, expected) => {
    const child = spawn(process.execPath, [executable, '--config', files.put('wait.json', { wait: true })], {
      env: environment(),
    });
    const ended = once(child, 'exit');
    let out = '';
    for await (const chunk of child.stdout) {
      out += String(chunk);
      if (out.includes('"page":2') && !child.killed) child.kill(signal);
    }
    expect(await ended).toEqual([expected, null]);
    expect(out.trimEnd().split('\n').at(-1)).toContain('"page":2');
  });

  test('a reader that goes away ends it with exit 1 and one line', () => {
    const big = files.put('big.json', { pages: 200, rows: 1000 });
    const { stdout, stderr } = spawnSync(
      'bash',
      [
        '-c',
        `"$0" "$1" --config "$2" | head -n 1 >/dev/null; echo "\${PIPESTATUS[0]}"`,
        process.execPath,
        executable,
        big,
      ],
      { encoding: 'utf8', env: environment() },
    );
    expect(stdout).toBe('1\n');
    expect(JSON.parse(stderr)).toMatchObject({ level: 'CRITICAL', code: 'interrupted' });
  });

  test.each([['--discover'], ['--help']])('a reader that went away before the %s: exit 1, one line', async (flag) => {
    const child = spawn(process.execPath, [executable, flag], { env: environment() });
    child.stdout.destroy();
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect(code).toBe(1);
    expect(JSON.parse(stderr)).toMatchObject({ level: 'CRITICAL', code: 'interrupted' });
  });

  test('a log that nobody reads does not end it', async () => {
    const child = spawn(process.execPath, [executable], { env: environment() });
    child.stderr.destroy();
    const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n').at(-1)).toContain('"page":2');
  });
});
