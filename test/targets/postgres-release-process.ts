/** target-postgres as a process of its own, with release blue_green, for tests that end it. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import type { Readable, Writable } from 'node:stream';
import { LIVE } from './postgres-releases.ts';

const TARGET = join(import.meta.dirname, '../../bin/target-postgres.ts');

/** How a process ended. */
export interface ProcessEnding {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running target. */
export interface ReleaseProcess {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly ended: Promise<ProcessEnding>;
}

/** Starts a load; its standard input is still open. */
export function startRelease(url: string, settings: Readonly<Record<string, unknown>> = {}): ReleaseProcess {
  const folder = mkdtempSync(join(tmpdir(), 'tapworks-release-'));
  const config = join(folder, 'config.json');
  writeFileSync(config, JSON.stringify({ url, default_target_schema: LIVE, release: 'blue_green', ...settings }));
  const child = spawn(execPath, [TARGET, '--config', config], { stdio: ['pipe', 'pipe', 'pipe'] });
  // A target that was killed reads no more.
  child.stdin.on('error', () => undefined);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data) => {
    stdout += String(data);
  });
  child.stderr.on('data', (data) => {
    stderr += String(data);
  });
  const ended = once(child, 'close').then(([code]): ProcessEnding => {
    rmSync(folder, { recursive: true, force: true });
    return { code: code as number | null, stdout, stderr };
  });
  return { child, ended };
}
