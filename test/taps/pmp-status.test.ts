import { access, readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { Extraction } from './extraction.ts';

const SETTINGS = { streams: ['systems', 'all_systems'], pages_per_run: 3 };

it('--status tells how far the sweep has come, and asks nobody', async () => {
  const extraction = await Extraction.start({ profile: 'small' }, SETTINGS);
  extraction.tenant.addFault({ match: { path: '/scandetails$', pages: [2, 2] }, action: { type: 'burst503' } });
  await extraction.run();
  const requests = extraction.tenant.requests.length;
  const output = await extraction.run({}, ['--status']);
  expect(output.code).toBe(0);
  expect(extraction.tenant.requests).toHaveLength(requests);
  expect(JSON.parse(output.stdout)).toEqual({
    snapshot_id: 1_768_478_400,
    status: 'running',
    last_page: 3,
    total_pages: 7,
    systems_extracted: 50,
    total_systems: 168,
    coverage_pct: 29.8,
    coverage_target: 0.95,
    target_met: false,
    gaps: [{ stream: 'systems', page: 2, error_type: '5xx_server_error', attempts: 1 }],
    updated_at: expect.stringMatching(/^2026-01-15T12:0/),
  });
});

it('--status of a finished sweep says that the target is met', async () => {
  const extraction = await Extraction.start({ profile: 'small' }, { ...SETTINGS, pages_per_run: 0 });
  await extraction.run();
  const status = JSON.parse((await extraction.run({}, ['--status'])).stdout);
  expect(status).toMatchObject({
    status: 'complete',
    last_page: 7,
    total_pages: 7,
    coverage_pct: 100,
    target_met: true,
    gaps: [],
  });
});

it('--status needs no credentials and no state yet', async () => {
  const extraction = await Extraction.start({ profile: 'small' });
  const output = await extraction.run({ client_id: null, client_secret: null, refresh_token: null, base_url: null }, [
    '--status',
  ]);
  expect(output.code).toBe(0);
  expect(JSON.parse(output.stdout)).toMatchObject({
    snapshot_id: null,
    systems_extracted: 0,
    coverage_pct: 0,
    target_met: false,
  });
});

it('--reset moves the state aside; the next run starts at page 1', async () => {
  const extraction = await Extraction.start({ profile: 'small' }, SETTINGS);
  await extraction.run();
  const written = await readFile(extraction.statePath, 'utf8');
  const requests = extraction.tenant.requests.length;
  const output = await extraction.run({}, ['--reset']);
  expect(output.code).toBe(0);
  expect(output.stdout).toBe('');
  expect(extraction.tenant.requests).toHaveLength(requests);
  expect(await readFile(`${extraction.statePath}.bak`, 'utf8')).toBe(written);
  await expect(access(extraction.statePath)).rejects.toThrow();
  const again = await extraction.run();
  expect(again.records('extraction_checkpoints').at(-1)).toMatchObject({ last_page: 3, systems_extracted: 75 });
});

it('--reset without a state file is nothing to complain about', async () => {
  const extraction = await Extraction.start({ profile: 'small' });
  expect((await extraction.run({}, ['--reset'])).code).toBe(0);
});
