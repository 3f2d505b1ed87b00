/** Every stream against the simulator's truth, and what one endpoint in trouble means to all the others. */
import { describe, expect, it } from 'vitest';
import type { Action } from '../../simulators/manageengine/actions.ts';
import { STREAMS } from '../../taps/pmp/streams.ts';
import type { Output } from '../contract/tap/outside.ts';
import { Extraction, HOSTILE, idsIn, runsToTheEnd } from './extraction.ts';

const HOUR = 3_600_000;
const NAMES = STREAMS.map(({ name }) => name);
/** Without the vendor's catalogue of 18,274 rows, which is 244 batches of three pages. */
const BUT_CATALOGUE = NAMES.filter((name) => name !== 'supported_patches');
const PROBED = STREAMS.filter(({ optional }) => optional).map(({ name }) => name);
const DEFAULTS = STREAMS.filter(({ optional, selectedByDefault }) => selectedByDefault && !optional);
const SINGLE = STREAMS.filter(({ versioned }) => !versioned).map(({ name }) => name);

/** The columns that the manifest makes ids of. */
const columnsOf = (key: readonly string[]) => (key.length === 2 ? ['resource_id', 'patch_id'] : key);

/** Streams whose rows are not what the server has. */
function wrongIn(extraction: Extraction, outputs: readonly Output[], names: readonly string[]): readonly string[] {
  return STREAMS.filter(({ name }) => names.includes(name))
    .filter(({ name, key }) => {
      if (SINGLE.includes(name)) return outputs.flatMap((output) => output.records(name)).length !== 1;
      const ids = extraction.ids(name);
      return ids.length === 0 || idsIn(outputs, name, ...columnsOf(key)).join() !== [...ids].sort().join();
    })
    .map(({ name }) => name);
}

const statuses = (output: Output) =>
  Object.fromEntries(output.table('endpoint_runs').map(({ stream, status }) => [String(stream), status]));

/** Lines with a word that Meltano takes for a failure; the name of one field is no such line. */
const alarming = ({ stderr }: Output) =>
  stderr.split('\n').filter((line) => /error|exception/i.test(line.replaceAll('errors_total', '')));

/** How often each endpoint was asked since a request. */
function asked(extraction: Extraction, since = 0): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { path } of extraction.tenant.requests.slice(since)) {
    const name = STREAMS.find((stream) => stream.path === path)?.name;
    if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

describe('every stream', () => {
  it.each([
    ['au', NAMES],
    ['us', BUT_CATALOGUE],
  ])('brings what the server has, id by id (ids as in %s)', async (id_mode, names) => {
    const extraction = await Extraction.start({ scenario: 'seed-paths' }, { streams: [...names], pages_per_run: 0 });
    extraction.tenant.configure({ id_mode });
    if (HOSTILE) {
      extraction.tenant.shrink('scandetails', 130);
      extraction.tenant.shrink('allpatches', 200);
      extraction.tenant.shrink('supportedpatches', 18_000);
    }
    const output = await extraction.run();
    expect(output.code, output.summary).toBe(0);
    expect(wrongIn(extraction, [output], names)).toEqual([]);
    // Nothing fails, so nothing is brought twice.
    for (const { name, key } of STREAMS.filter(({ name }) => names.includes(name)))
      expect([name, output.records(name).length]).toEqual([
        name,
        SINGLE.includes(name) ? 1 : idsIn([output], name, ...columnsOf(key)).length,
      ]);
    expect(statuses(output)).toEqual(
      Object.fromEntries(NAMES.map((name) => [name, names.includes(name) ? 'ok' : 'skipped'])),
    );
    expect(output.logs.filter(({ level }) => level !== 'INFO')).toEqual([]);
    expect(alarming(output)).toEqual([]);
  });

  // Which pages a batch asks for is the same in any pieces.
  it.skipIf(HOSTILE)('is read to its end in batches, and then nothing is asked for', async () => {
    const names = BUT_CATALOGUE;
    const extraction = await Extraction.start({ scenario: 'seed-paths' }, { streams: [...names], pages_per_run: 3 });
    const outputs = await runsToTheEnd(extraction, {}, 20, () => extraction.clock.advance(HOUR));
    // 262 patches are 11 pages: four batches, and a run with nothing to do.
    expect(outputs.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
    expect(wrongIn(extraction, outputs, names)).toEqual([]);
    expect(outputs.at(-1)?.stdout).toBe('');
    const snapshots = outputs.slice(0, -1).map((output) => output.table('snapshots')[0]?.status);
    expect(snapshots).toEqual(['running', 'running', 'running', 'complete']);
    const requests = extraction.tenant.requests.length;
    expect((await extraction.run()).summary).toContain('nothing to do');
    expect(extraction.tenant.requests).toHaveLength(requests);
  });

  it('stands in endpoint_runs, whatever became of it', async () => {
    const extraction = await Extraction.start({}, { pages_per_run: 0 });
    extraction.tenant.addFault({ match: { path: '/viewconfig$' }, action: { type: 'burst503' } });
    extraction.tenant.addFault({ match: { path: '/missingpatches$', pages: [2, 2] }, action: { type: 'burst503' } });
    const output = await extraction.run();
    const expected = STREAMS.map(({ name, path, optional, selectedByDefault }) => ({
      stream: name,
      path,
      status: optional ? 'unavailable' : selectedByDefault ? 'ok' : 'skipped',
    }));
    const special: Readonly<Record<string, string>> = { view_configurations: 'failed', missing_patches: 'partial' };
    expect(output.table('endpoint_runs').map(({ stream, path, status }) => ({ stream, path, status }))).toEqual(
      expect.arrayContaining(expected.map((row) => ({ ...row, status: special[row.stream] ?? row.status }))),
    );
    expect(output.table('endpoint_runs')).toHaveLength(STREAMS.length);
  });
});

// What a failure means to other streams is decided after the reply was read, in whatever pieces.
describe.skipIf(HOSTILE)('one endpoint in trouble', () => {
  const TROUBLE: Readonly<Record<string, { readonly action: Action; readonly status: string }>> = {
    'a broken server': { action: { type: 'error500' }, status: 'failed' },
    'no such endpoint': { action: { type: 'errorEnvelope', code: '10022' }, status: 'unavailable' },
    'a sign-in page': { action: { type: 'htmlLogin' }, status: 'failed' },
    'a refusal': { action: { type: 'errorEnvelope', code: '1002' }, status: 'failed' },
  };
  const VICTIMS = ['systems', 'all_systems', 'patch_summary', 'som_summary', 'remote_offices'];
  const cases = Object.keys(TROUBLE).flatMap((trouble) => VICTIMS.map((victim) => [trouble, victim] as const));

  // Before anything was read a sign-in page means wrong credentials, which is another matter.
  it.each(cases.filter(([trouble, victim]) => victim !== 'systems' || trouble !== 'a sign-in page'))(
    '%s at %s stops none of the others and ends with 2',
    async (trouble, victim) => {
      const { action, status } = TROUBLE[trouble] ?? expect.fail(trouble);
      const path = STREAMS.find(({ name }) => name === victim)?.path;
      const extraction = await Extraction.start({}, { pages_per_run: 0 });
      extraction.tenant.addFault({ match: { path: `${path}$` }, action });
      const output = await extraction.run();
      expect(output.code).toBe(2);
      expect(statuses(output)).toMatchObject({
        ...Object.fromEntries(DEFAULTS.map(({ name }) => [name, 'ok'])),
        [victim]: status,
      });
      const others = DEFAULTS.map(({ name }) => name).filter((name) => name !== victim);
      expect(wrongIn(extraction, [output], others)).toEqual([]);
      expect(output.records(victim)).toEqual([]);
      expect(output.summary).toContain(`not read: ${victim}`);
      expect(output.table('snapshots')).toMatchObject([{ status: 'partial' }]);

      const since = extraction.tenant.requests.length;
      extraction.tenant.removeFaults();
      const healed = await extraction.run();
      expect(healed.code).toBe(0);
      expect(wrongIn(extraction, [healed], [victim])).toEqual([]);
      expect(Object.keys(asked(extraction, since))).toEqual([victim]);
    },
  );
});

describe('an endpoint that few servers have', () => {
  it.each(['10022', '404', 'html'])('and this one lacks (%s): noted, and no failure', async (seed_paths) => {
    const extraction = await Extraction.start({}, { pages_per_run: 0, snapshot_max_age_hours: 24 });
    extraction.tenant.configure({ seed_paths });
    const first = await extraction.run();
    expect(first.code).toBe(0);
    for (const name of PROBED) expect(asked(extraction)[name]).toBe(1);
    expect(extraction.tokenRequests).toHaveLength(1);
    expect(first.events('endpoint_unavailable').map(({ stream, level }) => [stream, level])).toEqual(
      PROBED.map((name) => [name, 'INFO']),
    );
    for (const row of first.table('endpoint_runs').filter(({ stream }) => PROBED.includes(String(stream))))
      expect(row).toMatchObject({ status: 'unavailable', rows: null, error: expect.any(String) });
    expect(first.table('snapshots')).toMatchObject([{ status: 'complete' }]);
    expect(alarming(first)).toEqual([]);
    expect(first.summary).toContain('lost 0');

    let since = extraction.tenant.requests.length;
    const idle = await extraction.run();
    expect([idle.code, idle.stdout, extraction.tenant.requests.length - since]).toEqual([0, '', 0]);

    extraction.clock.advance(25 * HOUR);
    since = extraction.tenant.requests.length;
    await extraction.run();
    for (const name of PROBED) expect(asked(extraction, since)[name]).toBe(1);

    extraction.clock.advance(25 * HOUR);
    extraction.tenant.configure({ seed_paths: 'shape' });
    const offered = await extraction.run();
    expect(offered.code).toBe(0);
    expect(wrongIn(extraction, [offered], PROBED)).toEqual([]);
  });

  it.each(['10022', '404', 'html'])('and that is all there is to ask for (%s): the same', async (seed_paths) => {
    const extraction = await Extraction.start({}, { pages_per_run: 0, streams: PROBED });
    extraction.tenant.configure({ seed_paths });
    const output = await extraction.run();
    expect(output.code, output.summary).toBe(0);
    expect(statuses(output)).toMatchObject(Object.fromEntries(PROBED.map((name) => [name, 'unavailable'])));
  });

  it('fails like any other when the server has it and breaks', async () => {
    const extraction = await Extraction.start({ scenario: 'seed-paths' }, { pages_per_run: 0 });
    extraction.tenant.addFault({ match: { path: '/vulnerabilities$' }, action: { type: 'error500' } });
    const output = await extraction.run();
    expect(output.code).toBe(2);
    expect(statuses(output)).toMatchObject({ vulnerabilities: 'failed', deployment_tasks: 'ok', patch_groups: 'ok' });
  });
});
