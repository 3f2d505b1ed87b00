/** The large plant: 17,000 parts with a request each, 10,700 containers, 20,000 entries a day. */
import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { executable } from '../../dist/runner/pipe.js';
import { PlexWorkshop, RUN_NOW } from '../pipe/plex-workshop.ts';

const env = { ...process.env, TAPWORKS_NOW: RUN_NOW };
const LIMIT_MB = 100;

let shop: PlexWorkshop;
beforeAll(async () => {
  shop = await PlexWorkshop.open('large', { enable_quality: true, enable_performance: true, streams: ['*'] });
});
afterAll(() => shop.close());

/** Peak resident memory of a process that runs, in MB; 0 once it has ended. */
function peakOf(pid: number): number {
  try {
    const [, kilobytes = '0'] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return (Number(kilobytes) * 1024) / 1_000_000;
  } catch {
    return 0;
  }
}

test(`a first run stays below ${LIMIT_MB} MB and makes as many calls as its plan says`, async () => {
  const args = [executable('tap-plex'), '--config', shop.tapConfig];
  const { stdout } = await promisify(execFile)(process.execPath, [...args, '--plan'], { env });
  const plan = JSON.parse(stdout) as { calls: number };
  // As in a pipe, the reader is another process that takes its time.
  const tap = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
  let peak = 0;
  const look = setInterval(() => {
    peak = Math.max(peak, peakOf(tap.pid ?? 0));
  }, 100);
  tap.stdout.resume();
  const code = await new Promise((resolve) => tap.once('close', resolve));
  clearInterval(look);
  process.stderr.write(`peak ${peak.toFixed(1)} MB, ${plan.calls} calls\n`);
  expect(code).toBe(0);
  expect(peak).toBeLessThan(LIMIT_MB);
  const { requests } = (await shop.control('state')) as { requests: number };
  expect(requests).toBe(plan.calls);
}, 900_000);
