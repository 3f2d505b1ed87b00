import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { executable } from '../../dist/runner/pipe.js';
import { openWorkshop, type Workshop } from './workshop.ts';

let shop: Workshop;
afterAll(() => shop.close());

async function requests(): Promise<number> {
  const { requests: log } = (await shop.control('requests')) as { requests: readonly unknown[] };
  return log.length;
}

describe('full profile, systems only, 50 pages a run', () => {
  beforeAll(async () => {
    shop = await openWorkshop({ profile: 'full', tap: { streams: ['systems'], pages_per_run: 50 } });
  });

  test.each([
    [1, 50, 37.2],
    [2, 100, 74.4],
    [3, 135, 100],
  ])('run %i ends at page %i with %f %%', async (_run, page, percent) => {
    const { exitCode, lines } = await shop.run();
    expect(exitCode, lines.join('\n')).toBe(0);
    expect(
      shop.query(
        'SELECT snapshot_id, last_page, coverage_pct FROM extraction_checkpoints ORDER BY updated_at DESC LIMIT 1',
      ),
    ).toEqual([{ snapshot_id: 7, last_page: page, coverage_pct: percent }]);
  });

  test('run 4 makes no request and changes nothing', async () => {
    const [before, state] = [await requests(), await readFile(shop.state, 'utf8')];
    const { exitCode } = await shop.run();
    expect(exitCode).toBe(0);
    expect(await requests()).toBe(before);
    expect(await readFile(shop.state, 'utf8')).toBe(state);
    expect(shop.query('SELECT count(*) AS systems FROM systems')).toEqual([{ systems: 3362 }]);
    expect(shop.query('SELECT DISTINCT snapshot_id FROM systems')).toEqual([{ snapshot_id: 7 }]);
  });

  test('ids are those of the simulator, all of them and no other', async () => {
    const manifest = (await shop.control('manifest?ids=1')) as { streams: { systems: { ids: string[] } } };
    expect(shop.query('SELECT resource_id FROM systems ORDER BY 1').map(({ resource_id }) => resource_id)).toEqual(
      [...manifest.streams.systems.ids].sort(),
    );
  });

  test('the shell line of the README does the same', async () => {
    await shop.fresh();
    await writeFile(
      shop.tapConfig,
      (await readFile(shop.tapConfig, 'utf8')).replace('"pages_per_run":50', '"pages_per_run":0'),
    );
    const node = `"${process.execPath}"`;
    const line = `set -o pipefail; ${node} "${executable('tap-pmp')}" --config tap.json --state state.json | ${node} "${executable('target-sqlite')}" --config target.json --state-file state.json`;
    const { status, stdout, stderr } = spawnSync('bash', ['-c', line], {
      cwd: shop.folder,
      encoding: 'utf8',
      env: { ...process.env, TAPWORKS_NOW: '2026-03-01T06:00:00Z' },
    });
    expect(status, stderr).toBe(0);
    expect(stderr.toLowerCase().replaceAll('errors_total', '')).not.toMatch(/error|exception/);
    const states = stdout.trim().split('\n');
    expect(JSON.parse(states.at(-1) ?? '')).toEqual(await shop.savedState());
    expect(shop.query('SELECT count(*) AS systems FROM systems')).toEqual([{ systems: 3362 }]);
  });

  test('a target that refuses to start ends the pipe with one clear line on each side', async () => {
    await writeFile(join(shop.folder, 'bad.json'), JSON.stringify({ database: shop.tapConfig }));
    const { tap, target, exitCode, lines } = await shop.run({
      target: { name: 'target-sqlite', args: ['--config', join(shop.folder, 'bad.json')] },
      state: join(shop.folder, 'other.json'),
    });
    expect([exitCode, target.code, tap.code]).toEqual([1, 1, 1]);
    const failures = lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 'CRITICAL');
    expect(failures.map(({ logger }) => logger).sort()).toEqual(['tap-pmp', 'target-sqlite']);
    expect(failures.find(({ logger }) => logger === 'target-sqlite').message).toContain('SQLite');
  });

  test('with the default selection runs end with the longest stream, and the next makes no request', async () => {
    await shop.fresh();
    const config = JSON.parse(await readFile(shop.tapConfig, 'utf8'));
    await writeFile(shop.tapConfig, JSON.stringify({ ...config, streams: undefined, pages_per_run: 50 }));
    // 5,240 patches on 210 pages are the longest: five runs.
    for (let run = 1; run <= 5; run += 1) {
      expect((await shop.savedState().catch(() => undefined))?.snapshot.status).toBe(run === 1 ? undefined : 'running');
      expect((await shop.run()).exitCode).toBe(0);
    }
    expect((await shop.savedState()).snapshot.status).toBe('complete');
    const before = await requests();
    expect((await shop.run()).exitCode).toBe(0);
    expect(await requests()).toBe(before);
    const { streams } = (await shop.control('manifest')) as { streams: Record<string, { rows: number }> };
    for (const table of ['systems', 'all_systems', 'patches'])
      expect(shop.query(`SELECT count(*) AS n FROM ${table}`)).toEqual([{ n: streams[table]?.rows }]);
    await writeFile(shop.tapConfig, JSON.stringify({ ...config, pages_per_run: 0 }));
  });

  test('SIGTERM stops both cleanly, and the next run goes on', async () => {
    await shop.fresh();
    await shop.control('config', { latency_ms: 20 });
    const stop = new AbortController();
    const { tap, target } = await shop.run({
      signal: stop.signal,
      stderr: (_side, line) => {
        if (line.includes('extraction_progress')) stop.abort(new Error('stopped by SIGTERM'));
      },
    });
    expect([tap.code, target.code]).toEqual([143, 0]);
    const { bookmarks } = await shop.savedState();
    expect(Number(bookmarks.systems?.next_page)).toBeGreaterThan(1);
    await shop.control('config', { latency_ms: 0 });
    expect((await shop.run()).exitCode).toBe(0);
    expect(shop.query('SELECT count(*) AS systems FROM systems')).toEqual([{ systems: 3362 }]);
  });
});
