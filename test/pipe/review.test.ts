import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { executable } from '../../dist/runner/pipe.js';
import { openWorkshop, type Workshop } from './workshop.ts';

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop({ profile: 'small' });
});
afterAll(() => shop.close());

const ROW = [
  '{"type":"SCHEMA","stream":"s","schema":{"properties":{"id":{"type":"integer"},"constructor":{"type":["null","string"]}}},"key_properties":["id"]}',
  '{"type":"RECORD","stream":"s","record":{"id":1}}',
  '{"type":"STATE","value":{"a":1}}',
  '',
].join('\n');

function load(database: string): { status: number | null; stderr: string } {
  writeFileSync(join(shop.folder, 'odd.json'), JSON.stringify({ database }));
  return spawnSync(process.execPath, [executable('target-sqlite'), '--config', 'odd.json'], {
    cwd: shop.folder,
    input: ROW,
    encoding: 'utf8',
  });
}

describe('a database path is only a path', () => {
  test.each([':memory:', 'file:x.db'])('"%s"', (database) => {
    const { status, stderr } = load(database);
    expect(status, stderr).toBe(0);
    const file = join(shop.folder, database);
    expect(statSync(file).size).toBeGreaterThan(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});

test('a database path with blanks around it is refused, because the driver would open another file', () => {
  const { status, stderr } = load(' blank.db ');
  expect(status).toBe(1);
  expect(stderr).toContain('database');
  expect(existsSync(join(shop.folder, 'blank.db'))).toBe(false);
});

test('--test that is stopped does not say that everything answers', async () => {
  await shop.control('faults', { action: 'hang' });
  const child = spawn(process.execPath, [executable('tap-pmp'), '--config', shop.tapConfig, '--test'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    if (stderr.includes('batch_start')) child.kill('SIGTERM');
  });
  const ending = await new Promise((resolve) => child.once('close', (...codeAndSignal) => resolve(codeAndSignal)));
  await shop.control('reset', {});
  expect(ending, stderr.slice(-400)).toEqual([143, null]);
  expect(stderr).not.toContain('test_passed');
});

test('a signal that comes again, and again until the end, does not change how a run ends', async () => {
  await shop.control('faults', { action: 'hang' });
  const child = spawn(process.execPath, [executable('tap-pmp'), '--config', shop.tapConfig], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let again: NodeJS.Timeout | undefined;
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    if (stderr.includes('batch_start')) again ??= setInterval(() => child.kill('SIGTERM'), 1);
  });
  const ending = await new Promise((resolve) => child.once('close', (...codeAndSignal) => resolve(codeAndSignal)));
  clearInterval(again);
  await shop.control('reset', {});
  expect(ending, stderr.slice(-400)).toEqual([143, null]);
});

test('--status looks at a damaged state file and leaves it where it is', () => {
  const state = join(shop.folder, 'damaged.json');
  writeFileSync(state, '{"bookmarks":{"sys');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [executable('tap-pmp'), '--state', state, '--status'],
    { encoding: 'utf8' },
  );
  expect([status, JSON.parse(stdout).status]).toEqual([0, 'none']);
  expect(stderr).toContain('not JSON');
  expect(existsSync(state)).toBe(true);
});

test('a missing config file is the only fault that is told', () => {
  const { status, stderr } = spawnSync(process.execPath, [executable('tap-pmp'), '--config', 'nope.json'], {
    cwd: shop.folder,
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr).toContain('nope.json');
  expect(stderr).not.toContain('is missing');
});

test('a slip in an environment variable is warned about', () => {
  const env = { ...process.env, TAP_PMP_PAGE_SISE: '3' };
  const { status, stderr } = spawnSync(
    process.execPath,
    [executable('tap-pmp'), '--config', shop.tapConfig, '--test=schema'],
    { env, encoding: 'utf8' },
  );
  expect(status).toBe(0);
  expect(stderr).toContain('TAP_PMP_PAGE_SIZE');
});

test('a run in which no page came is not called a batch in order', async () => {
  await shop.control('faults', { action: 'burst503' });
  const config = join(shop.folder, 'outage.json');
  writeFileSync(
    config,
    JSON.stringify({
      ...JSON.parse(spawnSync('cat', [shop.tapConfig], { encoding: 'utf8' }).stdout),
      pages_per_run: 2,
      backoff_ms: 1,
    }),
  );
  const { status, stderr } = spawnSync(process.execPath, [executable('tap-pmp'), '--config', config], {
    encoding: 'utf8',
  });
  await shop.control('reset', {});
  expect(status, stderr.slice(-400)).toBe(2);
});
