/** `tapworks simulate plex` as a process, and what it holds in memory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from 'vitest';
import { ROOT } from '../docs/documents.ts';
import type { Json } from './plex-client.ts';

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

async function start(args: readonly string[], env: Record<string, string> = {}, node: readonly string[] = []) {
  const child = spawn(process.execPath, [...node, join(ROOT, 'bin/tapworks.ts'), 'simulate', 'plex', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TAPWORKS_NOW: '2026-03-14T06:00:00Z', ...env },
  });
  children.push(child);
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  const started: Started = { child, line: await firstLine(child), errors: () => errors };
  return started;
}

async function firstLine(child: ChildProcess): Promise<string | undefined> {
  if (!child.stdout) return undefined;
  for await (const line of createInterface({ input: child.stdout })) return line;
  return undefined;
}

function addressOf({ line }: Started): { readonly url: string; readonly config: Json } {
  return JSON.parse(line ?? '') as { url: string; config: Json };
}

test('says where it is, goes by the clock it is given, and ends on a signal', async () => {
  const started = await start(['--profile', 'tiny', '--seed', '7', '--scenario', 'throttled']);
  const { url, config } = addressOf(started);
  expect(config).toMatchObject({ base_url: url, start_date: '2026-03-07T00:00:00Z' });
  const state = (await (await fetch(`${url}/__sim/state`)).json()) as Json;
  expect(state).toMatchObject({ profile: 'tiny', seed: 7, scenario: 'throttled', config });
  expect(state.now).toMatch(/^2026-03-14T06:0/);
  started.child.kill('SIGTERM');
  expect(await once(started.child, 'close')).toEqual([143, null]);
});

test('ends when it is told to', async () => {
  const started = await start(['--profile', 'tiny']);
  const reply = await fetch(`${addressOf(started).url}/__sim/stop`, { method: 'POST' });
  expect(await reply.json()).toEqual({ stopped: true });
  expect(await once(started.child, 'close')).toEqual([0, null]);
});

const refused: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['a profile', ['--profile', 'huge'], /unknown profile \\"huge\\"; known profiles: tiny, demo, large/],
  ['a scenario', ['--scenario', 'sunny'], /unknown scenario \\"sunny\\"; known scenarios: happy, demo_tenant/],
  ['a seed', ['--seed', '1.5'], /--seed must be a whole number/],
  ['a flag', ['--profil', 'tiny'], /profile/],
];
test.each(refused)('refuses %s that it does not know', async (_name, args, message) => {
  const { child, line, errors } = await start(args);
  if (child.exitCode === null) await once(child, 'close');
  expect([child.exitCode, line]).toEqual([1, undefined]);
  expect(errors()).toMatch(message);
});

test('serves far more than it could hold', async () => {
  const { url, config } = addressOf(await start(['--profile', 'large'], {}, ['--max-old-space-size=56']));
  const headers = { 'X-Plex-Connect-Api-Key': String(config.api_key), 'accept-encoding': 'identity' };
  const path = '/production/v1/production-history/production-entries';
  const window = 'beginDate=2026-03-10T00:00Z&endDate=2026-03-13T23:59:59.9999999Z';
  const response = await fetch(`${url}${path}?${window}`, { headers });
  let bytes = 0;
  let last = '';
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    last = Buffer.from(chunk).toString('latin1').slice(-2);
  }
  expect(bytes).toBeGreaterThan(60 * 1_024 * 1_024);
  expect(last).toBe('}]');
});
