/** Every ending that the contract names, by exit code and by what the last lines say. */
import { describe, expect, it } from 'vitest';
import type { Rule } from '../../simulators/manageengine/actions.ts';
import type { Output } from '../contract/tap/outside.ts';
import { Extraction, SCAN } from './extraction.ts';

const SYSTEMS = '/scandetails$';
const ALL_SYSTEMS = '/allsystems$';
const ALL = { pages_per_run: 0, streams: ['systems', 'all_systems', 'patch_summary'] };

const broken = (path: string, pages?: readonly [number, number]): Rule => ({
  match: { path, ...(pages !== undefined && { pages }) },
  action: { type: 'burst503' },
});

async function extractionWith(rules: readonly Rule[], settings = {}): Promise<Extraction> {
  const extraction = await Extraction.start({ profile: 'small' }, { ...ALL, ...settings });
  for (const rule of rules) extraction.tenant.addFault(rule);
  return extraction;
}

async function runWith(rules: readonly Rule[], settings = {}): Promise<Output> {
  return (await extractionWith(rules, settings)).run();
}

const endpoints = (output: Output) =>
  Object.fromEntries(output.table('endpoint_runs').map(({ stream, status }) => [String(stream), status]));

describe('exit code 0', () => {
  it('everything read', async () => {
    const output = await runWith([]);
    expect(output.code).toBe(0);
    expect(endpoints(output)).toMatchObject({
      systems: 'ok',
      all_systems: 'ok',
      patch_summary: 'ok',
      patches: 'skipped',
    });
    expect(output.table('snapshots')).toMatchObject([{ status: 'complete', coverage_pct: 100 }]);
    expect(output.logs.filter(({ level }) => level !== 'INFO')).toEqual([]);
    expect(output.stderr.replaceAll('errors_total', '')).not.toMatch(/error|exception/i);
  });

  it('a batch in order, the sweep not at its end', async () => {
    const output = await runWith([], { pages_per_run: 2 });
    expect(output.code).toBe(0);
    expect(output.table('snapshots')).toMatchObject([{ status: 'running', ended_at: null }]);
  });

  it('target met with open gaps: a warning names them', async () => {
    const extraction = await extractionWith([broken(SYSTEMS, [3, 3])], { coverage_target: 0.8, streams: ['systems'] });
    const output = await extraction.run();
    expect(output.code).toBe(0);
    expect(output.events('gaps_open')).toMatchObject([
      { level: 'WARNING', message: expect.stringContaining('systems page 3') },
    ]);
    expect(output.table('snapshots')).toMatchObject([{ status: 'partial' }]);
    expect(output.table('endpoint_runs').find(({ stream }) => stream === 'systems')).toMatchObject({
      status: 'partial',
      gaps: 1,
      rows: 143,
      total: 168,
    });

    const before = extraction.apiRequests;
    const again = await extraction.run();
    expect(again.code).toBe(0);
    expect(again.events('gaps_open')).toHaveLength(1);
    const pages = extraction.tenant.requests.filter(({ path }) => path === SCAN).slice(before);
    expect(new Set(pages.map(({ page }) => page))).toEqual(new Set([3]));
    expect(again.table('extraction_gaps')).toMatchObject([{ page_num: 3, attempts: 3, resolved_at: null }]);

    extraction.tenant.removeFaults();
    const healed = await extraction.run();
    expect(healed.table('extraction_gaps')).toMatchObject([{ page_num: 3, resolved_at: expect.any(String) }]);
    expect(healed.table('snapshots')).toMatchObject([{ status: 'complete' }]);
  });

  it('exit_incomplete 0: runners that take 2 for a failure', async () => {
    const output = await runWith([broken(ALL_SYSTEMS)], { exit_incomplete: 0 });
    expect(output.code).toBe(0);
    expect(output.logs.at(-1)).toMatchObject({ event_type: 'run_complete', level: 'WARNING' });
  });
});

describe('exit code 2', () => {
  it('the sweep ended below its target', async () => {
    const extraction = await extractionWith([broken(SYSTEMS, [2, 6])], { streams: ['systems'] });
    const output = await extraction.run();
    expect(output.code).toBe(2);
    expect(output.logs.at(-1)).toMatchObject({ level: 'WARNING', target_met: false, sweep_finished: true, gaps: 5 });
    extraction.tenant.removeFaults();
    expect((await extraction.run()).code).toBe(0);
  });

  it('another stream ended with gaps', async () => {
    const output = await runWith([broken(ALL_SYSTEMS, [4, 4])]);
    expect(output.code).toBe(2);
    expect(endpoints(output)).toMatchObject({ systems: 'ok', all_systems: 'partial', patch_summary: 'ok' });
    expect(output.table('snapshots')).toMatchObject([{ status: 'partial' }]);
  });

  it('one stream failed; the others are read to their end', async () => {
    const output = await runWith([broken(ALL_SYSTEMS)]);
    expect(output.code).toBe(2);
    expect(endpoints(output)).toMatchObject({ systems: 'ok', all_systems: 'failed', patch_summary: 'ok' });
    expect(output.table('systems')).toHaveLength(168);
    expect(output.table('patch_summary')).toHaveLength(1);
    expect(output.summary).toContain('not read: all_systems');
  });

  it('an endpoint that this server does not offer', async () => {
    const rule: Rule = {
      match: { path: ALL_SYSTEMS },
      action: { type: 'errorEnvelope', code: '10022', description: 'API Endpoint is not supported by current server' },
    };
    const extraction = await extractionWith([rule]);
    const output = await extraction.run();
    expect(output.code).toBe(2);
    expect(endpoints(output)).toMatchObject({ systems: 'ok', all_systems: 'unavailable', patch_summary: 'ok' });
    expect(extraction.tenant.requests.filter(({ path }) => path.endsWith('/allsystems'))).toHaveLength(1);
    expect(output.events('endpoint_unavailable')).toMatchObject([{ stream: 'all_systems' }]);
  });

  it('a refused request becomes a failed stream without a second try of the same page', async () => {
    const rule: Rule = { match: { path: ALL_SYSTEMS }, action: { type: 'errorEnvelope', code: '1002' } };
    const extraction = await extractionWith([rule]);
    const output = await extraction.run();
    expect(output.code).toBe(2);
    expect(endpoints(output).all_systems).toBe('failed');
    expect(extraction.tenant.requests.filter(({ path }) => path.endsWith('/allsystems')).length).toBeLessThanOrEqual(3);
  });

  it('a login page after others worked: that stream failed', async () => {
    const output = await runWith([{ match: { path: ALL_SYSTEMS, pages: [3, 7] }, action: { type: 'htmlLogin' } }]);
    expect(output.code).toBe(2);
    expect(endpoints(output)).toMatchObject({ systems: 'ok', all_systems: 'failed', patch_summary: 'ok' });
  });
});

describe('exit code 1', () => {
  it('every selected stream failed', async () => {
    const output = await runWith([broken('^/api/')]);
    expect(output.code).toBe(1);
    expect(endpoints(output)).toMatchObject({ systems: 'failed', all_systems: 'failed', patch_summary: 'failed' });
    expect(output.table('snapshots')).toMatchObject([{ status: 'failed' }]);
    expect(output.logs.at(-1)).toMatchObject({ level: 'CRITICAL' });
  });

  it('every selected stream failed, exit_incomplete or not', async () => {
    expect((await runWith([broken('^/api/')], { exit_incomplete: 0 })).code).toBe(1);
  });

  it('a failed first sweep begins again at page 1', async () => {
    const extraction = await extractionWith([broken('^/api/')], { streams: ['systems'] });
    await extraction.run();
    expect(await extraction.state()).toMatchObject({ bookmarks: {} });
    extraction.tenant.removeFaults();
    const output = await extraction.run();
    expect(output.code).toBe(0);
    expect(output.table('systems')).toHaveLength(168);
  });

  it('a login page before the first success', async () => {
    const output = await runWith([{ match: { path: '^/api/' }, action: { type: 'htmlLogin' } }]);
    expect(output.code).toBe(1);
    expect(output.events('failed')).toHaveLength(1);
    expect(output.summary).toContain('sign-in page');
  });
});
