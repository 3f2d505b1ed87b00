import { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ConnectorError } from '../../singer/errors.ts';
import { LineWriter, MessageWriter } from '../../singer/writer.ts';
import { Sponge } from './memory-io.ts';

/** Takes one chunk at a time, when told to. */
class Slow extends Writable {
  readonly chunks: string[] = [];
  #done: ((error?: Error) => void) | undefined;

  constructor() {
    super({ highWaterMark: 16, decodeStrings: false });
  }

  override _write(chunk: string, _encoding: string, done: (error?: Error) => void): void {
    this.chunks.push(String(chunk));
    this.#done = done;
  }

  take(error?: Error): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(error);
  }
}

const epipe = () => Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
const thrownBy = (promise: Promise<unknown> | undefined) =>
  Promise.resolve(promise).then(
    () => undefined,
    (error: unknown) => error as ConnectorError,
  );

describe('lines', () => {
  test('leave in one write when the program next waits', async () => {
    const out = new Sponge();
    const writer = new LineWriter(out);
    for (const text of ['a', 'b', 'c']) expect(writer.line(text)).toBeUndefined();
    expect(out.chunks).toHaveLength(0);
    await turn();
    expect(out.chunks.map(String)).toEqual(['a\nb\nc\n']);
    writer.line('d');
    await turn();
    expect(out.text).toBe('a\nb\nc\nd\n');
  });

  test('leave in blocks of 64 KiB', () => {
    const out = new Sponge();
    const writer = new LineWriter(out);
    for (let n = 0; n < 3 * 1024; n += 1) writer.line('x'.repeat(63));
    expect(out.chunks.map((chunk) => chunk.length)).toEqual([65536, 65536, 65536]);
  });

  test('flush sends what is left and waits until it is taken', async () => {
    const out = new Slow();
    const writer = new LineWriter(out);
    writer.line('a line longer than the mark');
    let flushed = false;
    const flush = writer.flush().then(() => {
      flushed = true;
    });
    await turn();
    expect(flushed).toBe(false);
    out.take();
    await turn();
    out.take();
    await flush;
    expect(out.chunks.join('')).toBe('a line longer than the mark\n');
  });
});

describe('a slow reader', () => {
  test('makes the caller wait, so that at most one block is held', async () => {
    const out = new Slow();
    const writer = new LineWriter(out);
    const block = 'x'.repeat(64 * 1024);
    let written = 0;
    const all = (async () => {
      for (let n = 0; n < 10; n += 1) {
        await writer.line(block);
        written += 1;
      }
    })();
    await turn();
    await turn();
    expect(written).toBe(0);
    expect(out.writableLength).toBeLessThanOrEqual(block.length + 1);
    while (written < 10) {
      const before = out.chunks.length;
      expect(out.writableLength).toBeLessThanOrEqual(block.length + 1);
      out.take();
      await turn();
      expect(out.chunks.length).toBeLessThanOrEqual(before + 1);
    }
    await all;
    expect(out.chunks.join('')).toBe(`${block}\n`.repeat(10));
  });

  test('that goes away ends the wait with an error of class interrupted', async () => {
    const out = new Slow();
    const writer = new LineWriter(out);
    const waiting = thrownBy(writer.line('x'.repeat(70_000)));
    out.take(epipe());
    const error = await waiting;
    expect(error).toBeInstanceOf(ConnectorError);
    expect(error?.code).toBe('interrupted');
    expect(error?.line).toContain('run the pipe again');
    expect(() => writer.line('more')).toThrow(error);
    expect(await thrownBy(writer.flush())).toBe(error);
  });

  test('that is closed without an error lets the wait end; the next write fails', async () => {
    const out = new Slow();
    const writer = new LineWriter(out);
    const waiting = writer.line('x'.repeat(70_000));
    out.destroy();
    await waiting;
    expect((await thrownBy(writer.flush()))?.code).toBe('destination');
  });
});

describe('a broken reader', () => {
  class Broken extends Writable {
    readonly #error: Error;
    constructor(error: Error) {
      super();
      this.#error = error;
    }
    override _write(_chunk: unknown, _encoding: string, done: (error: Error) => void): void {
      done(this.#error);
    }
  }

  test('is told by flush', async () => {
    const writer = new LineWriter(new Broken(epipe()));
    writer.line('a');
    expect(await thrownBy(writer.flush())).toMatchObject({ code: 'interrupted' });
  });

  test('any other failure of stdout is a failure of the destination', async () => {
    const writer = new LineWriter(new Broken(new Error('disk full')));
    writer.line('a');
    expect(await thrownBy(writer.flush())).toMatchObject({
      code: 'destination',
      message: 'cannot write to stdout: disk full',
    });
  });

  test('does not end the process when nobody waits', async () => {
    const writer = new LineWriter(new Broken(epipe()));
    writer.line('a');
    await turn();
    await turn();
    expect(() => writer.line('b')).toThrow('has ended');
  });
});

describe('messages', () => {
  test('in Singer form', async () => {
    const out = new Sponge();
    const writer = new MessageWriter(out);
    writer.schema('s"x', { type: 'object', properties: { id: { type: 'integer' } } }, ['id'], ['at']);
    writer.schema('plain', { properties: {} }, [], []);
    writer.records('s"x', [{ id: 1, gone: undefined, bad: Number.NaN }]);
    writer.records('s"x', [{ id: 2 }, { id: 3 }], 5);
    writer.activateVersion('s"x', 5);
    writer.state({ bookmarks: { 's"x': JSON.rawJSON('12345678901234567890') } });
    await writer.flush();
    expect(out.lines).toEqual([
      '{"type":"SCHEMA","stream":"s\\"x","schema":{"type":"object","properties":{"id":{"type":"integer"}}},"key_properties":["id"],"bookmark_properties":["at"]}',
      '{"type":"SCHEMA","stream":"plain","schema":{"properties":{}},"key_properties":[]}',
      '{"type":"RECORD","stream":"s\\"x","record":{"id":1,"bad":null}}',
      '{"type":"RECORD","stream":"s\\"x","record":{"id":2},"version":5}',
      '{"type":"RECORD","stream":"s\\"x","record":{"id":3},"version":5}',
      '{"type":"ACTIVATE_VERSION","stream":"s\\"x","version":5}',
      '{"type":"STATE","value":{"bookmarks":{"s\\"x":12345678901234567890}}}',
    ]);
  });

  test('a record before its schema is refused', () => {
    const writer = new MessageWriter(new Sponge());
    expect(() => writer.records('s', [{}])).toThrow('record of "s" before its schema');
  });
});
