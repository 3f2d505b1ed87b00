import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ConnectorError } from '../../singer/errors.ts';
import { runTap } from '../../singer/run-tap.ts';
import type { Ending, Tap } from '../../singer/stream.ts';
import { folder } from './folder.ts';
import { memoryIo, Sponge } from './memory-io.ts';
import { COMPLETE, messages, page, type Read, type SmallClient, smallTap } from './small-tap.ts';

const files = folder();
const config = files.put('config.json', { token: 'top-secret' });

async function run(read: Read, argv: readonly string[] = [], more: Partial<Tap<SmallClient>> = {}) {
  const io = memoryIo(['--config', config, ...argv]);
  const tap = smallTap(read, more);
  const code = await runTap(tap, io);
  return { code, io, tap, log: io.stderr.objects };
}

const twoPages: Read = async function* () {
  yield page('systems', [1, 2]);
  yield page('systems', [3]);
  return COMPLETE;
};
const SCHEMAS = ['SCHEMA systems', 'SCHEMA snapshots'];

describe('messages', () => {
  test('schema, rows, and the state that covers them', async () => {
    const { code, io, tap, log } = await run(twoPages);
    expect(code).toBe(0);
    expect(messages(io)).toEqual([
      ...SCHEMAS,
      'systems 1',
      'systems 2',
      'STATE {"systems":{"next":2}}',
      'systems 3',
      'STATE {"systems":{"next":3}}',
    ]);
    expect(tap.clients.map(({ closed }) => closed)).toEqual([1]);
    expect(log.map(({ level, event_type, message }) => [level, event_type, message])).toEqual([
      ['INFO', 'run_complete', 'all read'],
    ]);
    expect(io.stderr.text).not.toMatch(/error|exception/i);
  });

  test('a state is taken when its rows are through, and never written empty or twice', async () => {
    const { io } = await run(async function* () {
      let seen = 0;
      yield {
        rows: (async function* () {
          for (seen = 1; seen <= 2; seen += 1) yield { stream: 'systems', records: [{ id: seen }] };
        })(),
        get state() {
          return { bookmarks: { systems: { next: seen } } };
        },
      };
      yield { rows: [], state: { bookmarks: { systems: { next: 3 } } } };
      yield { rows: [], state: {} };
      return COMPLETE;
    });
    expect(messages(io).slice(2)).toEqual(['systems 1', 'systems 2', 'STATE {"systems":{"next":3}}']);
  });

  test('rows of streams that are not selected are dropped', async () => {
    const { io } = await run(async function* () {
      yield page('patches', [1]);
      yield page('snapshots', [2]);
      return COMPLETE;
    });
    expect(messages(io).filter((message) => !/^(SCHEMA|STATE)/.test(message))).toEqual(['snapshots 2']);
  });

  test('nothing to do: no output', async () => {
    // biome-ignore lint/correctness/useYield: a finished sweep has no page
    const { code, io } = await run(async function* () {
      return COMPLETE;
    });
    expect([code, io.stdout.text]).toEqual([0, '']);
  });

  test('a catalog takes properties out of schema and records', async () => {
    const catalog = files.put('catalog.json', {
      streams: [
        {
          tap_stream_id: 'patches',
          metadata: [
            { breadcrumb: [], metadata: { selected: true } },
            { breadcrumb: ['properties', 'name'], metadata: { selected: false } },
          ],
        },
      ],
    });
    const { io } = await run(
      async function* () {
        yield page('patches', [1]);
        return COMPLETE;
      },
      ['--catalog', catalog],
    );
    const [schema, , record] = io.stdout.objects;
    expect(schema).toEqual({
      type: 'SCHEMA',
      stream: 'patches',
      schema: { type: 'object', properties: { id: { type: 'integer' } } },
      key_properties: ['id'],
      bookmark_properties: ['id'],
    });
    expect(record?.record).toEqual({ id: 1 });
  });

  test('the tap gets settings, selection and the state of the file', async () => {
    const state = files.put('state.json', { bookmarks: { systems: { next: 7 }, other: 1 } });
    let seen: unknown;
    const { tap } = await run(
      async function* ({ selected, state }) {
        seen = [selected.map((s) => s.declaration.name), state];
        return COMPLETE;
      },
      ['--state', state],
    );
    expect(seen).toEqual([
      ['systems', 'snapshots'],
      { state_version: 1, bookmarks: { systems: { next: 7 }, other: 1 } },
    ]);
    expect(tap.clients[0]?.settings).toEqual({ token: 'top-secret', exit_incomplete: 2 });
  });
});

describe('exit codes', () => {
  const ending = (given: Ending): Read =>
    async function* () {
      yield page('systems', [1]);
      return given;
    };
  const none = files.put('none.json', { token: 'top-secret', exit_incomplete: 0 });

  test.each<[Ending['exitCode'], string[], number, string]>([
    [0, [], 0, 'INFO'],
    [1, [], 1, 'CRITICAL'],
    [2, [], 2, 'WARNING'],
    [2, ['--config', none], 0, 'WARNING'],
  ])('an ending with %i and %j', async (exitCode, argv, expected, level) => {
    const { code, log } = await run(ending({ exitCode, summary: 'so it ended', fields: { rows: 1 } }), argv);
    expect(code).toBe(expected);
    expect(log.at(-1)).toMatchObject({ level, message: 'so it ended', rows: 1 });
  });

  test.each<[string, () => unknown, Record<string, unknown>]>([
    [
      'one of ours',
      () =>
        new ConnectorError(
          'auth',
          'token refused',
          { stream: 'systems' },
          { hint: 'renew it', cause: new Error('401') },
        ),
      { code: 'auth', stream: 'systems', message: 'token refused — renew it' },
    ],
    [
      'a surprise',
      () => new TypeError('x is\nundefined'),
      { message: expect.stringContaining('unexpected failure: x is undefined') },
    ],
    ['no error at all', () => 'text', { message: expect.stringContaining('unexpected failure: text') }],
  ])('thrown: %s', async (_name, thrown, line) => {
    const { code, io, tap, log } = await run(
      async function* () {
        yield page('systems', [1]);
        throw thrown();
      },
      ['--log-level', 'debug'],
    );
    expect(code).toBe(1);
    expect(log.filter(({ level }) => level === 'CRITICAL')).toEqual([expect.objectContaining(line)]);
    expect(messages(io).at(-1)).toBe('STATE {"systems":{"next":1}}');
    expect(tap.clients[0]?.closed).toBe(1);
  });

  test.each([
    ['unknown flag', ['--confg', 'x'], 'did you mean --config?'],
    ['wrong settings', ['--config', files.put('bad.json', { tokn: 'x' })], 'did you mean \\"token\\"?'],
    ['unknown stream', ['--config', files.put('st.json', { streams: ['sistems'] })], 'did you mean \\"systems\\"?'],
    ['no stream', ['--config', files.put('ns.json', { streams: [] })], 'no stream is selected'],
    ['state of another shape', ['--state', files.put('bs.json', { bookmarks: { systems: 1 } })], '/bookmarks/systems'],
    ['no catalog', ['--catalog', files.at('nowhere.json')], 'cannot read the catalog'],
  ])('%s: one CRITICAL line, exit 1, nothing on stdout', async (_name, argv, problem) => {
    const { code, io, log, tap } = await run(twoPages, argv);
    expect([code, io.stdout.text, tap.clients.length]).toEqual([1, '', 0]);
    expect(log.map(({ level }) => level)).toEqual(['CRITICAL']);
    expect(io.stderr.text).toContain(problem);
  });
});

describe('stopped', () => {
  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('by %s: the last safe state is the last line', async (signal, expected) => {
    const io = memoryIo(['--config', config]);
    let finished = false;
    const tap = smallTap(async function* () {
      try {
        yield page('systems', [1]);
        io.stop(signal);
        yield page('systems', [2]);
        yield page('systems', [3]);
        return COMPLETE;
      } finally {
        finished = true;
      }
    });
    expect(await runTap(tap, io)).toBe(expected);
    expect(messages(io).at(-1)).toBe('STATE {"systems":{"next":2}}');
    expect(finished).toBe(true);
    expect(tap.clients[0]?.closed).toBe(1);
    expect(io.stderr.objects.map(({ event_type }) => event_type)).toEqual(['stopped']);
  });

  test('in the middle of a long page that never waits: no state for its half', async () => {
    const io = memoryIo(['--config', config]);
    const rows = function* () {
      for (let id = 1; id <= 50_000; id += 1) {
        if (id === 5_000) io.stop('SIGTERM');
        yield { stream: 'systems', records: [{ id }] };
      }
    };
    const tap = smallTap(async function* () {
      yield { rows: rows(), state: { bookmarks: { systems: { next: 'end' } } } };
      return COMPLETE;
    });
    expect(await runTap(tap, io)).toBe(143);
    expect(messages(io).at(-1)).toBe('systems 5000');
  });

  test('while the tap waits', async () => {
    const io = memoryIo(['--config', config]);
    const tap = smallTap(async function* (_request, { signal, clock }) {
      yield page('systems', [1]);
      io.stop('SIGTERM');
      await clock.sleep(1000, signal);
      return COMPLETE;
    });
    expect(await runTap(tap, io)).toBe(143);
    expect(messages(io).at(-1)).toBe('STATE {"systems":{"next":1}}');
  });

  test('by a reader that went away: exit 1, one line', async () => {
    class Gone extends Sponge {
      override _write(_chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      }
    }
    const io = memoryIo(['--config', config], { stdout: new Gone() });
    expect(await runTap(smallTap(twoPages), io)).toBe(1);
    expect(io.stderr.objects).toEqual([
      expect.objectContaining({
        level: 'CRITICAL',
        code: 'interrupted',
        message: expect.stringContaining('has ended'),
      }),
    ]);
  });
});

test('--metrics-file counts rows and tells the exit code', async () => {
  const path = files.at('m.prom');
  const { code } = await run(twoPages, ['--metrics-file', path]);
  expect(code).toBe(0);
  const text = readFileSync(path, 'utf8');
  expect(text).toContain('tapworks_rows_total{stream="systems",outcome="read"} 3');
  expect(text).toContain('tapworks_exit_code{program="tap-small"} 0');
  expect(text).toContain('tapworks_last_run_timestamp_seconds{program="tap-small"} 1769839200');
});

test('metrics that cannot be written are a warning', async () => {
  const { code, log } = await run(twoPages, ['--metrics-file', files.at('no/where.prom')]);
  expect(code).toBe(0);
  expect(log.at(-1)).toMatchObject({ level: 'WARNING', event_type: 'metrics_not_written' });
});
