/** ACTIVATE_VERSION: said once a reading is whole, and never otherwise, because targets mark rows as gone by it. */
import { describe, expect, it } from 'vitest';
import { isWhole } from '../../taps/manageengine/streams.ts';
import { STREAMS } from '../../taps/pmp/streams.ts';
import { type Output, object } from '../contract/tap/outside.ts';
import { Extraction, runsToTheEnd } from './extraction.ts';

const HOUR = 3_600_000;
const FIRST = 1_768_478_400;
const SYSTEMS = { streams: ['systems'], pages_per_run: 0 };
/** 18,274 rows, which show nothing that other streams do not. */
const CATALOGUE = 'supported_patches';
const VERSIONED = STREAMS.filter(({ name, key }) => key[0] !== 'snapshot_id' && name !== CATALOGUE).map(
  ({ name }) => name,
);
const BROKEN = { match: { path: '/scandetails$', pages: [3, 3] as const }, action: { type: 'burst503' } as const };

/** Streams and versions that were activated, in order. */
const activated = (output: Output) =>
  output.messages.flatMap(({ type, stream, version }) => (type === 'ACTIVATE_VERSION' ? [[stream, version]] : []));

/** Places of the messages of a kind that concern a stream; of states, those in which its sweep is finished. */
function places(output: Output, kind: 'RECORD' | 'ACTIVATE_VERSION' | 'STATE', stream: string): readonly number[] {
  return output.messages.flatMap((message, index) => {
    if (message.type !== kind) return [];
    if (kind !== 'STATE') return message.stream === stream ? [index] : [];
    const bookmark = object(object(message.value).bookmarks)[stream];
    return bookmark !== undefined && object(bookmark).finished === true ? [index] : [];
  });
}

describe('a whole reading', () => {
  it('is said once per stream, behind its rows and before the state that calls it finished', async () => {
    const extraction = await Extraction.start(
      { scenario: 'seed-paths' },
      { streams: [...VERSIONED], pages_per_run: 0 },
    );
    const output = await extraction.run();
    expect(activated(output)).toEqual(VERSIONED.map((name) => [name, FIRST]));
    for (const name of VERSIONED) {
      const [said = -1] = places(output, 'ACTIVATE_VERSION', name);
      expect(said).toBeGreaterThan(places(output, 'RECORD', name).at(-1) ?? Number.POSITIVE_INFINITY);
      expect(said).toBeLessThan(places(output, 'STATE', name)[0] ?? -1);
    }
  });

  it('has the version in every record; single objects and books never do', async () => {
    const extraction = await Extraction.start({ scenario: 'seed-paths' }, { pages_per_run: 0 });
    const streams = STREAMS.map(({ name }) => name).filter((name) => name !== CATALOGUE);
    const output = await extraction.run({ streams });
    const versions = new Map<string, Set<unknown>>();
    for (const message of output.messages.filter(({ type }) => type === 'RECORD')) {
      const name = String(message.stream);
      versions.set(name, (versions.get(name) ?? new Set()).add(message.version));
    }
    for (const [name, found] of versions)
      expect([name, [...found]]).toEqual([name, [VERSIONED.includes(name) ? FIRST : undefined]]);
    expect([...versions.keys()]).toEqual(expect.arrayContaining(['patch_summary', 'snapshots', 'endpoint_runs']));
    expect(activated(output).map(([stream]) => stream)).toEqual(VERSIONED);
  });

  it('in batches is said with the last one only', async () => {
    const extraction = await Extraction.start({}, { ...SYSTEMS, pages_per_run: 3 });
    const outputs = await runsToTheEnd(extraction);
    expect(outputs.map(activated)).toEqual([[], [], [['systems', FIRST]], []]);
  });

  it('is said again, with the new number, when the next snapshot is whole', async () => {
    const extraction = await Extraction.start({}, { ...SYSTEMS, snapshot_max_age_hours: 1 });
    await extraction.run();
    expect(activated(await extraction.run())).toEqual([]);
    extraction.clock.advance(2 * HOUR);
    const next = await extraction.run();
    const [id] = next.table('snapshots').map(({ snapshot_id }) => snapshot_id);
    expect(Number(id)).toBeGreaterThan(FIRST);
    expect(activated(next)).toEqual([['systems', id]]);
    expect(new Set(next.messages.filter(({ stream }) => stream === 'systems').map(({ version }) => version))).toEqual(
      new Set([undefined, id]),
    );
  });

  it('has the number that the settings give to the snapshot', async () => {
    const extraction = await Extraction.start({}, SYSTEMS);
    expect(activated(await extraction.run({ snapshot_id: 41 }))).toEqual([['systems', 41]]);
    expect(activated(await extraction.run({ snapshot_id: 42 }))).toEqual([['systems', 42]]);
  });

  it('of an empty list says that everything is gone', async () => {
    const extraction = await Extraction.start({}, SYSTEMS);
    extraction.tenant.shrink('scandetails', 168);
    const output = await extraction.run();
    expect(output.records('systems')).toEqual([]);
    expect(activated(output)).toEqual([['systems', FIRST]]);
  });

  it('that was killed before its state came out is said again by the next run', async () => {
    const extraction = await Extraction.start({}, { ...SYSTEMS, checkpoint_pages: 1 });
    const whole = await extraction.run();
    const [said = -1] = places(whole, 'ACTIVATE_VERSION', 'systems');
    const before = whole.messages.slice(0, said).filter(({ type }) => type === 'STATE');
    await extraction.writeState(before.at(-1)?.value ?? expect.fail('no state before it'));
    expect(activated(await extraction.run())).toEqual([['systems', FIRST]]);
  });

  it('after rows were looked for a second time counts as whole when they were found', async () => {
    const extraction = await Extraction.start({}, SYSTEMS);
    extraction.tenant.addFault({
      match: { path: '/scandetails$', pages: [3, 3], nth: 1 },
      action: { type: 'moveSystem', count: 2 },
    });
    const output = await extraction.run();
    expect(output.events('second_look')).toHaveLength(1);
    expect(output.table('systems')).toHaveLength(168);
    expect(activated(output)).toEqual([['systems', FIRST]]);
  });
});

describe('what is not whole', () => {
  it('because a page is missing says nothing, until the run that closes the last gap', async () => {
    const extraction = await Extraction.start({}, SYSTEMS);
    extraction.tenant.addFault(BROKEN);
    extraction.tenant.addFault({ ...BROKEN, match: { ...BROKEN.match, pages: [5, 5] }, id: 'fifth' });
    expect(activated(await extraction.run())).toEqual([]);
    expect(activated(await extraction.run())).toEqual([]);
    extraction.tenant.removeFaults();
    extraction.tenant.addFault({ ...BROKEN, id: 'third' });
    const one = await extraction.run();
    expect(one.events('gap_resolved')).toMatchObject([{ page: 5 }]);
    expect(activated(one)).toEqual([]);
    extraction.tenant.removeFaults();
    const closed = await extraction.run();
    expect(activated(closed)).toEqual([['systems', FIRST]]);
    const [said = -1] = places(closed, 'ACTIVATE_VERSION', 'systems');
    const states = closed.messages.flatMap(({ type, value }, index) => {
      const gaps = type === 'STATE' ? object(object(object(value).bookmarks).systems).gaps : [null];
      return Array.isArray(gaps) && gaps.length === 0 ? [index] : [];
    });
    expect(said).toBeLessThan(states[0] ?? -1);
    expect(activated(await extraction.run())).toEqual([]);
  });

  it('because a page came only when it was tried again within the run says it at the end', async () => {
    const extraction = await Extraction.start({}, { ...SYSTEMS, checkpoint_pages: 1 });
    extraction.tenant.addFault({ ...BROKEN, times: 3 });
    const output = await extraction.run();
    expect(output.events('gap_logged')).toHaveLength(1);
    expect(activated(output)).toEqual([['systems', FIRST]]);
    expect(places(output, 'ACTIVATE_VERSION', 'systems')[0]).toBeGreaterThan(
      places(output, 'RECORD', 'systems').at(-1) ?? Number.POSITIVE_INFINITY,
    );
  });

  it('although the target is met says nothing', async () => {
    const extraction = await Extraction.start({}, { ...SYSTEMS, coverage_target: 0.5 });
    extraction.tenant.addFault(BROKEN);
    const output = await extraction.run();
    expect([output.code, output.logs.at(-1)?.target_met]).toEqual([0, true]);
    expect(activated(output)).toEqual([]);
  });

  it('because the stream failed or is missing says nothing', async () => {
    const extraction = await Extraction.start({}, { pages_per_run: 0 });
    extraction.tenant.addFault({ match: { path: '/allsystems$' }, action: { type: 'error500' } });
    const output = await extraction.run();
    const names = activated(output).map(([stream]) => stream);
    for (const name of ['all_systems', 'vulnerabilities', 'deployment_tasks', 'patch_groups'])
      expect(names).not.toContain(name);
    expect(names).toContain('systems');
  });

  it('because one report is missing says nothing of the reports', async () => {
    const extraction = await Extraction.start({}, { streams: ['system_reports'], pages_per_run: 0 });
    extraction.tenant.shrink('scandetails', 140);
    const [resid = ''] = extraction.ids('systems');
    extraction.tenant.addFault({ match: { path: '/systemreport$', query: { resid } }, action: { type: 'burst503' } });
    expect(activated(await extraction.run())).toEqual([]);
    extraction.tenant.removeFaults();
    expect(activated(await extraction.run())).toEqual([['system_reports', FIRST]]);
  });

  it('because the run was stopped says nothing', async () => {
    const extraction = await Extraction.start({}, { ...SYSTEMS, checkpoint_pages: 1 });
    const output = await extraction.run({}, [], {
      onLog: ({ event_type, page }, stop) => {
        if (event_type === 'extraction_progress' && page === 6) stop();
      },
    });
    expect(output.code).toBe(143);
    expect(activated(output)).toEqual([]);
    expect(activated(await extraction.run())).toEqual([['systems', FIRST]]);
  });
});

it.each([
  ['whole', {}, true],
  ['whole, with more rows than were reported', { distinct: 101 }, true],
  ['whole, and empty', { distinct: 0, total: 0 }, true],
  ['at its end, with rows missing', { distinct: 99 }, false],
  ['at its end, with a page missing', { gaps: [{ page: 2 }] }, false],
  ['under way, with every row seen', { finished: false }, false],
  ['without a total', { total: null, distinct: 0 }, false],
])('a sweep %s', (_name, differs, whole) => {
  const sweep = {
    page_size: 25,
    total_at_next: 100,
    next_page: 5,
    total: 100,
    distinct: 100,
    gaps: [],
    finished: true,
  };
  expect(isWhole({ ...sweep, ...differs })).toBe(whole);
});

describe('several customers in one state', () => {
  const NAMES = ['Customer Alpha', 'Customer Beta & Söhne'];

  it('keep the versions back, with one warning per stream', async () => {
    const extraction = await Extraction.start({ scenario: 'msp' }, { ...SYSTEMS, streams: ['systems', 'patches'] });
    const alone = await extraction.run();
    expect(activated(alone).map(([stream]) => stream)).toEqual(['systems', 'patches']);
    const second = await extraction.run({ customer_name: NAMES[1] ?? '' });
    expect(activated(second)).toEqual([]);
    expect(second.events('version_kept_back').map(({ stream, level }) => [stream, level])).toEqual([
      ['systems', 'WARNING'],
      ['patches', 'WARNING'],
    ]);
    // From now on the first one's rows are not alone either.
    const again = await extraction.run({ snapshot_id: 7 });
    expect(again.code).toBe(0);
    expect(activated(again)).toEqual([]);
    expect(again.events('version_kept_back')).toHaveLength(2);
  });

  it('with a state each do not', async () => {
    for (const customer_name of NAMES) {
      const extraction = await Extraction.start({ scenario: 'msp' }, { ...SYSTEMS, customer_name });
      expect(activated(await extraction.run())).toEqual([['systems', FIRST]]);
    }
  });
});
