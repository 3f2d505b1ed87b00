import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Row } from '../../singer/lossless.ts';
import { runTarget } from '../../singer/run-target.ts';
import {
  type Batch,
  LOADING_SETTINGS,
  type Reject,
  type Sink,
  type SinkStream,
  type Target,
  type Written,
} from '../../singer/sink.ts';
import { folder } from './folder.ts';
import { memoryIo, Sponge } from './memory-io.ts';

const files = folder();
const line = (message: unknown) => `${JSON.stringify(message)}\n`;
const SCHEMA = line({
  type: 'SCHEMA',
  stream: 's',
  schema: { properties: { id: { type: 'integer' } } },
  key_properties: ['id'],
});
const record = (id: unknown, more: object = {}) => line({ type: 'RECORD', stream: 's', record: { id, ...more } });
const state = (value: unknown) => line({ type: 'STATE', value });

interface MemoryTarget extends Target {
  /** What happened, in order: prepared streams, written ids, `close`. */
  readonly events: string[];
}

function memoryTarget(sink: Partial<Sink> = {}): MemoryTarget {
  const events: string[] = [];
  const taken: Written[] = [];
  return {
    events,
    name: 'target-memory',
    description: 'Keeps rows.',
    settings: { properties: LOADING_SETTINGS },
    capabilities: [],
    async connect() {
      return {
        async prepare({ name }) {
          events.push(`prepare ${name}`);
        },
        async add({ stream, rows }: Batch) {
          taken.push({ stream: stream.name, inserted: rows.length, updated: 0, unchanged: 0, deleted: 0 });
          events.push(`${stream.name} ${rows.map((row: Row) => String(row.id)).join(' ')}`);
          return undefined;
        },
        async versions() {
          return [];
        },
        async retire(stream: SinkStream) {
          events.push(`retire ${stream.name}`);
        },
        async reject(records: readonly Reject[]) {
          for (const { line, reason } of records) events.push(`reject ${line} ${reason}`);
        },
        async commit() {
          return taken.splice(0);
        },
        async close() {
          events.push('close');
        },
        ...sink,
      };
    },
  };
}

async function load(
  input: readonly string[],
  given: { argv?: readonly string[]; settings?: object; sink?: Partial<Sink>; stdout?: Sponge } = {},
) {
  const target = memoryTarget(given.sink);
  const config = files.put('config.json', given.settings ?? {});
  const io = memoryIo(['--config', config, ...(given.argv ?? [])], {
    input,
    ...(given.stdout !== undefined && { stdout: given.stdout }),
  });
  const code = await runTarget(target, io);
  return { code, events: target.events, states: io.stdout.lines, log: io.stderr.objects };
}

describe('a load', () => {
  test('writes rows, then lets the newest state go', async () => {
    const { code, events, states, log } = await load([
      SCHEMA + record(1) + state({ a: 1 }) + record(2) + state({ a: 2 }),
    ]);
    expect(code).toBe(0);
    // The first record shows what lines of the stream look like; those after it are another batch.
    expect(events).toEqual(['prepare s', 's 1', 's 2', 'close']);
    expect(states).toEqual(['{"a":2}']);
    expect(log.at(-1)).toMatchObject({
      event_type: 'load_complete',
      message: 'loaded: s 2 new, 0 changed, 0 as before',
    });
  });

  test('writes when a limit is reached, and confirms what it covers', async () => {
    const { events, states } = await load([SCHEMA + record(1) + state({ a: 1 }) + record(2) + record(3)], {
      settings: { batch_rows: 2 },
    });
    expect(events).toEqual(['prepare s', 's 1', 's 2', 's 3', 'close']);
    expect(states).toEqual(['{"a":1}']);
  });

  test('writes what has waited long enough while the source is silent', async () => {
    const written = Promise.withResolvers<void>();
    const target = memoryTarget({
      async commit() {
        written.resolve();
        return [];
      },
    });
    const io = memoryIo(['--config', files.put('config.json', { batch_seconds: 1 })]);
    // Ends only once the first row has been written: a target that waits for more input never gets it.
    const stdin = async function* () {
      yield Buffer.from(SCHEMA + record(1) + state({ a: 1 }));
      await written.promise;
    };
    expect(await runTarget(target, { ...io, stdin: stdin() })).toBe(0);
    expect(io.clock.sleeps).toContain(1000);
    expect(io.stdout.lines).toEqual(['{"a":1}']);
  });

  test('hands rows over in groups, and commits what was handed over when the source pauses', async () => {
    const committed = Promise.withResolvers<void>();
    const target = memoryTarget({
      async commit() {
        committed.resolve();
        return [];
      },
    });
    const io = memoryIo(['--config', files.put('config.json', {})]);
    const stdin = async function* () {
      yield Buffer.from(SCHEMA + Array.from({ length: 600 }, (_, id) => record(id)).join(''));
      await committed.promise;
    };
    expect(await runTarget(target, { ...io, stdin: stdin() })).toBe(0);
    expect(target.events.map((event) => event.split(' ').length - 1)).toEqual([1, 1, 499, 100, 0]);
    expect(io.clock.sleeps).toEqual([200]);
  });

  test.each([['{}'], ['null']])('a state of %s is as if it had not come', async (value) => {
    const { states } = await load([`${SCHEMA}${record(1)}{"type":"STATE","value":${value}}\n`]);
    expect(states).toEqual([]);
  });

  test('equal states go out once; one without rows at once', async () => {
    const { states } = await load([state({ a: 1 }) + state({ a: 1 }) + state({ a: 2 })]);
    expect(states).toEqual(['{"a":1}', '{"a":2}']);
  });

  test('keeps the state in a file too', async () => {
    const path = files.at('state.json');
    await load([state({ lsn: 1 }).replace('1}', '12345678901234567890}')], { argv: ['--state-file', path] });
    expect(readFileSync(path, 'utf8')).toBe('{"lsn":12345678901234567890}\n');
  });

  test('reads a file', async () => {
    const { code, events } = await load([], { argv: ['--input', files.put('in.jsonl', SCHEMA + record(1))] });
    expect([code, events]).toEqual([0, ['prepare s', 's 1', 'close']]);
  });

  test('skips with one warning what it does not know', async () => {
    const other = line({ type: 'LOG' }) + line({ type: 'ACTIVATE_VERSION', stream: 'other', version: 1 });
    const { code, log } = await load([SCHEMA + other + other + record(1, { x: 1 }) + record(2, { x: 1 })]);
    expect(code).toBe(0);
    expect(log.filter(({ level }) => level === 'WARNING').map(({ event_type }) => event_type)).toEqual([
      'message_skipped',
      'message_skipped',
      'unknown_property',
    ]);
  });
});

describe('a failure', () => {
  test('of the input leaves what came before it written and confirmed, however the bytes were cut', async () => {
    const input = `${SCHEMA}${record(1)}${state({ a: 1 })}\n{half`;
    for (const chunks of [[input], [...input]]) {
      const { code, events, states, log } = await load(chunks);
      expect([code, states]).toEqual([1, ['{"a":1}']]);
      expect(events).toEqual(['prepare s', 's 1', 'close']);
      expect(log.at(-1)).toMatchObject({
        level: 'CRITICAL',
        line: 5,
        message: expect.stringContaining('line 5 is not JSON'),
      });
    }
  });

  test('of the destination confirms nothing', async () => {
    const { code, events, states, log } = await load([SCHEMA + record(1) + state({ a: 1 })], {
      sink: { commit: () => Promise.reject(new Error('disk full')) },
    });
    expect([code, states, events]).toEqual([1, [], ['prepare s', 's 1', 'close']]);
    expect(log.filter(({ level }) => level === 'CRITICAL')).toHaveLength(1);
  });

  test('to read the input file is told by its name', async () => {
    const { code, log } = await load([], { argv: ['--input', files.at('nowhere.jsonl')] });
    expect(code).toBe(1);
    expect(log.at(-1)).toMatchObject({ code: 'config', message: expect.stringContaining('cannot read --input') });
  });

  test('of stdout does not lose rows', async () => {
    class Gone extends Sponge {
      override _write(_chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      }
    }
    const { code, events, log } = await load([SCHEMA + record(1) + state({ a: 1 })], { stdout: new Gone() });
    expect([code, events]).toEqual([1, ['prepare s', 's 1', 'close']]);
    expect(log.at(-1)).toMatchObject({ level: 'CRITICAL', code: 'interrupted' });
  });

  test('by a signal: what came in order is written and confirmed', async () => {
    const target = memoryTarget();
    const io = memoryIo(['--config', files.put('config.json', {})]);
    const stdin = async function* () {
      yield Buffer.from(SCHEMA + record(1) + state({ a: 1 }));
      io.stop('SIGTERM');
      yield Buffer.from(record(2));
    };
    expect(await runTarget(target, { ...io, stdin: stdin() })).toBe(143);
    expect(target.events).toEqual(['prepare s', 's 1', 'close']);
    expect(io.stdout.lines).toEqual(['{"a":1}']);
  });
});
