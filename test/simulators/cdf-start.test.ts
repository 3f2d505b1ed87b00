/** `tapworks simulate cdf` as a process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from 'vitest';
import { ROOT } from '../docs/documents.ts';
import type { Json } from './cdf-client.ts';

interface Started {
  readonly child: ChildProcess;
  /** Its first line on stdout; undefined when it ended without one. */
  readonly line: string | undefined;
  readonly errors: () => string;
}

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function start(...args: readonly string[]): Promise<Started> {
  const child = spawn(process.execPath, [join(ROOT, 'bin/tapworks.ts'), 'simulate', 'cdf', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TAPWORKS_NOW: '2026-03-14T06:00:00Z' },
  });
  children.push(child);
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  let line: string | undefined;
  for await (const first of createInterface({ input: child.stdout })) {
    line = first;
    break;
  }
  return { child, line, errors: () => errors };
}

test('says where it is, goes by the clock it is given, and ends on a signal', async () => {
  const { child, line = '' } = await start('--profile', 'shared', '--seed', '7', '--scenario', 'tokens');
  const { url, config } = JSON.parse(line) as { url: string; config: Json };
  expect(config).toMatchObject({ base_url: url, project: 'example-plant' });
  const state = (await (await fetch(`${url}/__sim/state`)).json()) as Json;
  expect(state).toMatchObject({ profile: 'shared', seed: 7, scenario: 'tokens', config });
  expect(state.now).toMatch(/^2026-03-14T06:0/);
  child.kill('SIGTERM');
  expect(await once(child, 'close')).toEqual([143, null]);
});

test('ends when it is told to', async () => {
  const { child, line = '' } = await start();
  const reply = await fetch(`${(JSON.parse(line) as Json).url}/__sim/stop`, { method: 'POST' });
  expect(await reply.json()).toEqual({ stopped: true });
  expect(await once(child, 'close')).toEqual([0, null]);
});

const refused: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['a profile', ['--profile', 'huge'], /unknown profile \\"huge\\"; known profiles: empty, ready, shared/],
  ['a scenario', ['--scenario', 'sunny'], /unknown scenario \\"sunny\\"; known scenarios: happy, throttled/],
  ['a seed', ['--seed', '1.5'], /--seed must be a whole number/],
];
test.each(refused)('refuses %s that it does not know', async (_name, args, message) => {
  const { child, line, errors } = await start(...args);
  if (child.exitCode === null) await once(child, 'close');
  expect([child.exitCode, line]).toEqual([1, undefined]);
  expect(errors()).toMatch(message);
});
