import { describe, expect, test } from 'vitest';
import { aboutText } from '../../singer/about.ts';
import { catalogOf } from '../../singer/catalog.ts';
import { Stop } from '../../singer/io.ts';
import { openLog } from '../../singer/log.ts';
import { openProgress } from '../../singer/progress.ts';
import { runTap } from '../../singer/run-tap.ts';
import type { ActionContext, Ending } from '../../singer/stream.ts';
import { version } from '../../singer/version.ts';
import { folder } from './folder.ts';
import { memoryIo } from './memory-io.ts';
import { COMPLETE, page, type Read, smallTap } from './small-tap.ts';

const files = folder();
const config = files.put('config.json', { token: 'top-secret', streams: ['systems', 'patches'] });
const unread: Read = () => expect.unreachable();

async function run(argv: readonly string[], tap = smallTap(unread)) {
  const io = memoryIo(argv);
  return { code: await runTap(tap, io), io, log: io.stderr.objects, tap };
}

describe('--discover', () => {
  test.each([['--discover'], ['-d']])('%s needs no settings, with two blanks of indent', async (flag) => {
    const { code, io, log } = await run([flag]);
    expect([code, log]).toEqual([0, []]);
    expect(io.stdout.text).toBe(`${JSON.stringify(catalogOf(smallTap(unread).streams), null, 2)}\n`);
  });
});

test('--help goes to stdout', async () => {
  const { code, io, log } = await run(['--help']);
  expect([code, log]).toEqual([0, []]);
  expect(io.stdout.text).toContain('tap-small --config FILE [--state FILE] [--catalog FILE]');
  expect(io.stdout.text).toContain('Reads nothing much.');
});

describe('--test', () => {
  test('asks every selected stream for one record and writes no message', async () => {
    const asked: string[] = [];
    const tap = smallTap(async function* ({ selected, state }) {
      expect(state).toEqual({});
      const name = selected.map(({ declaration }) => declaration.name).join();
      asked.push(name);
      yield page('snapshots', [1]);
      yield page(name, [1, 2]);
      asked.push('too much');
      return COMPLETE;
    });
    const { code, io, log } = await run(['-c', config, '--test'], tap);
    expect([code, io.stdout.text, asked]).toEqual([0, '', ['systems', 'patches']]);
    expect(log.map(({ event_type, stream }) => [event_type, stream])).toEqual([
      ['test_passed', 'systems'],
      ['test_passed', 'patches'],
      ['test_complete', undefined],
    ]);
    expect(tap.clients[0]?.closed).toBe(1);
  });

  test.each<[string, () => Ending, number, string]>([
    [
      'throws',
      () => {
        throw new Error('403 from server');
      },
      1,
      'systems: 403 from server',
    ],
    [
      'is reported as failed',
      () => ({ ...COMPLETE, exitCode: 2, failures: [{ stream: 'systems', reason: 'not subscribed' }] }),
      1,
      'systems: not subscribed',
    ],
    [
      'ends with nothing loaded',
      () => ({ exitCode: 1, summary: 'nothing was loaded' }),
      1,
      'systems: nothing was loaded',
    ],
    ['has no rows', () => COMPLETE, 0, 'systems: answers'],
  ])('a stream that %s', async (_name, ending, expected, line) => {
    // biome-ignore lint/correctness/useYield: only its end matters
    const tap = smallTap(async function* () {
      return ending();
    });
    const { code, log } = await run(['-c', config, '--test=all'], tap);
    expect(code).toBe(expected);
    expect(log.map(({ message }) => message)).toContain(line);
    expect(log.at(-1)).toMatchObject({
      level: expected === 0 ? 'INFO' : 'CRITICAL',
      message: expected === 0 ? 'every selected stream answers' : '2 of the selected streams do not answer',
    });
  });

  test('can be stopped', async () => {
    // biome-ignore lint/correctness/useYield: stops at once
    const tap = smallTap(async function* () {
      throw new Stop('SIGINT');
    });
    expect((await run(['-c', config, '--test'], tap)).code).toBe(130);
  });

  test('=schema writes the schemas only and does not connect', async () => {
    const { code, io, tap } = await run(['-c', config, '--test=schema']);
    expect([code, tap.clients]).toEqual([0, []]);
    expect(io.stdout.objects.map(({ type, stream }) => [type, stream])).toEqual([
      ['SCHEMA', 'systems'],
      ['SCHEMA', 'patches'],
      ['SCHEMA', 'snapshots'],
    ]);
  });
});

describe('actions', () => {
  const withStatus = (act: (context: ActionContext) => Promise<void>) =>
    smallTap(unread, { actions: { status: { describe: 'Show how far it is', act } } });

  test('get settings without credentials, the state, and print on stdout', async () => {
    const state = files.put('state.json', { bookmarks: { systems: { next: 3 } } });
    const tap = withStatus(async ({ settings, statePath, state, print, clock, log }) => {
      log.debug('x', 'unseen');
      print(JSON.stringify({ settings, statePath, ...(await state()), now: clock.now() }));
    });
    const { code, io } = await run(['--status', '--state', state], tap);
    expect(code).toBe(0);
    expect(io.stdout.objects).toEqual([
      {
        settings: { exit_incomplete: 2 },
        statePath: state,
        state_version: 1,
        bookmarks: { systems: { next: 3 } },
        now: 1769839200000,
      },
    ]);
    expect(tap.clients).toEqual([]);
  });

  test('may print nothing, or fail', async () => {
    const quiet = await run(
      ['--status'],
      withStatus(async ({ statePath }) => expect(statePath).toBeUndefined()),
    );
    expect([quiet.code, quiet.io.stdout.text]).toEqual([0, '']);
    const failing = await run(
      ['--status'],
      withStatus(() => Promise.reject(new Error('no'))),
    );
    expect([failing.code, failing.log.length]).toEqual([1, 1]);
  });

  test('stand in the help and are not taken when not asked for', async () => {
    const tap = withStatus(() => expect.unreachable());
    expect((await run(['--help'], tap)).io.stdout.text).toContain('Show how far it is');
    expect((await run(['-c', config, '--test=schema'], tap)).code).toBe(0);
  });
});

describe('progress', () => {
  test('is a bar on a terminal, and log lines pass above it', async () => {
    const io = memoryIo([], { terminal: true });
    io.stderr.isTTY = true;
    const log = await openLog('tap-small', io);
    const progress = await openProgress(io, log, true);
    log.info('a', 'before');
    progress.show('systems', 1, 4);
    io.clock.sleeps.push(0);
    progress.show('systems', 2, 4);
    log.info('a', 'between');
    progress.show('patches', 1, 2);
    progress.stop();
    progress.stop();
    const shown = io.stderr.text;
    expect(shown).toMatch(/systems \|.*\| 1\/4 ·/);
    expect(shown).toMatch(/patches \|.*\| 1\/2 ·/);
    expect(shown).toContain('\r\u001b[K06:00:00 tap-small between\n');
    expect(shown.startsWith('06:00:00 tap-small before\n')).toBe(true);
  });

  test.each([
    ['nobody watches', false, true],
    ['nobody wants it', true, false],
  ])('is nothing when %s', async (_name, terminal, wanted) => {
    const io = memoryIo([], { terminal });
    const progress = await openProgress(io, await openLog('tap-small', io), wanted);
    progress.show('systems', 1, 2);
    progress.stop();
    expect(io.stderr.text).toBe('');
  });
});

describe('about', () => {
  const about = {
    name: 'tap-small',
    description: 'Reads.',
    version,
    capabilities: ['catalog', 'state'],
    settings: {
      properties: {
        token: { type: 'string', secret: true, description: 'A | B' },
        size: { type: 'integer', default: 5 },
      },
      required: ['token'],
    },
  };

  test('json', () => {
    expect(JSON.parse(aboutText(about, 'json'))).toEqual({
      name: 'tap-small',
      description: 'Reads.',
      version,
      supported_node_versions: '>=22.19',
      capabilities: ['catalog', 'state'],
      settings: { type: 'object', ...about.settings },
    });
  });

  test('markdown', () => {
    const text = aboutText(about, 'markdown');
    expect(text).toContain('# `tap-small`\n\nReads.\n');
    expect(text).toContain('* `catalog`\n* `state`');
    expect(text).toContain('| token | True |  | A \\| B |\n| size | False | 5 |  |');
  });

  test('text', () => {
    const text = aboutText(about, 'text');
    expect(text).toContain(`tap-small v${version}: Reads.`);
    expect(text).toContain('token (required)\n      A | B');
    expect(text).toContain('size [5]');
  });
});
