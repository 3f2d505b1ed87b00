import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Level, type LogFormat, openLog } from '../../singer/log.ts';
import { maskPersonal, sampleOf } from '../../singer/masking.ts';
import { folder } from './folder.ts';
import { memoryIo } from './memory-io.ts';

const files = folder();

async function opened(options: Parameters<typeof openLog>[2] = {}, given: Parameters<typeof memoryIo>[1] = {}) {
  const io = memoryIo([], given);
  return { io, out: io.stderr, log: await openLog('tap-x', io, options) };
}

describe('formats', () => {
  test('json: one object per line, with the event and the fields of 000 and 001', async () => {
    const { log, out } = await opened();
    log.always({ snapshot_id: 7 });
    log.info('page_complete', 'page 3 done', { page: 3, progress_pct: 12.5, skipped: undefined });
    expect(out.objects).toEqual([
      {
        timestamp: '2026-01-31T06:00:00.000Z',
        level: 'INFO',
        logger: 'tap-x',
        event_type: 'page_complete',
        message: 'page 3 done',
        snapshot_id: 7,
        page: 3,
        progress_pct: 12.5,
      },
    ]);
    expect(Object.keys(out.objects[0] ?? {}).slice(0, 5)).toEqual([
      'timestamp',
      'level',
      'logger',
      'event_type',
      'message',
    ]);
  });

  test('singer-sdk: every field that Meltano looks for, on every line', async () => {
    const { log, out } = await opened({ format: 'singer-sdk', level: 'DEBUG' });
    log.debug('a', 'first');
    log.info('b', 'second', { stream: 'systems', page: 2 });
    log.warn('c', 'third');
    log.error('d', 'fourth');
    log.critical('e', 'fifth');
    for (const line of out.objects) {
      expect(line).toEqual({
        level: expect.stringMatching(/^[a-z]+$/),
        pid: process.pid,
        logger_name: 'tap-x',
        ts: 1769839200,
        thread_name: 'MainThread',
        app_name: 'tap-x',
        stream_name: line.message === 'second' ? 'systems' : null,
        message: expect.any(String),
        extra: expect.any(Object),
      });
    }
    expect(out.objects.map(({ level }) => level)).toEqual(['debug', 'info', 'warning', 'error', 'critical']);
    expect(out.objects[1]?.extra).toEqual({ event_type: 'b', page: 2 });
  });

  test('pretty: for a person', async () => {
    const { log, out } = await opened({}, { terminal: true });
    log.info('a', 'reading', { page: 1 });
    log.warn('b', 'slow\u001b[2J\tserver');
    expect(out.text).toBe('06:00:00 tap-x reading\n06:00:00 tap-x WARNING slow [2J server\n');
  });

  test.each<LogFormat>(['json', 'pretty', 'singer-sdk'])(
    '%s: one event is one line, whatever it says',
    async (format) => {
      const { log, out } = await opened({ format });
      log.hide('n0\nbody');
      fc.assert(
        fc.property(
          fc.string({ unit: fc.constantFrom('\n', '\r', '\u2028', '\t', '"', '\\', 'a@b.de', '10.0.0.1', 'x') }),
          (text) => {
            const before = out.lines.length;
            log.error('e', text, { sample: text, inner: { [text]: [text] } });
            const added = out.text.split('\n').slice(before, -1);
            expect(added).toHaveLength(1);
            expect(added[0]).not.toMatch(/[\r]/);
            if (format !== 'pretty') JSON.parse(added[0] ?? '');
          },
        ),
      );
    },
  );

  test('a field that bears the name of one of the line itself does not take its place', async () => {
    const { log, out } = await opened();
    log.info('real', 'real', { level: 'x', message: 'x', at: 'x', timestamp: 'x', event_type: 'x', logger: 'x' });
    expect(out.objects[0]).toMatchObject({
      level: 'INFO',
      message: 'real',
      event_type: 'real',
      logger: 'tap-x',
      field_at: 'x',
    });
  });

  test('a long text is cut, so that no runner chokes on the line', async () => {
    const { log, out } = await opened();
    log.error('e', 'é'.repeat(50_000), { body: 'x'.repeat(50_000) });
    expect(out.text.length).toBeLessThan(40_000);
  });

  test('a progress bar steps aside', async () => {
    const { log, out } = await opened({ format: 'pretty' });
    log.around({ clear: () => out.write('<'), redraw: () => out.write('>') });
    log.info('a', 'x');
    log.around(undefined);
    log.info('a', 'y');
    expect(out.text).toBe('<06:00:00 tap-x x\n>06:00:00 tap-x y\n');
  });

  test('a progress bar speaks for the pages', async () => {
    const { log, out } = await opened({ format: 'pretty' });
    log.around({ clear: () => undefined, redraw: () => undefined });
    log.info('extraction_progress', 'page 1');
    expect(out.text).toBe('');
    log.around(undefined);
    log.info('extraction_progress', 'page 2');
    expect(out.text).toBe('06:00:00 tap-x page 2\n');
  });
});

describe('levels', () => {
  const ALL: readonly Level[] = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'];

  async function shown(...given: Parameters<typeof opened>): Promise<unknown[]> {
    const { log, out } = await opened(...given);
    log.debug('e', 'm');
    log.info('e', 'm');
    log.warn('e', 'm');
    log.error('e', 'm');
    log.critical('e', 'm');
    return out.objects.map(({ level }) => level);
  }

  test.each(ALL)('%s shows itself and what is worse', async (level) => {
    expect(await shown({ level })).toEqual(ALL.slice(ALL.indexOf(level)));
  });

  const meltano = files.put('meltano.json', {
    version: 1,
    formatters: { console: { '()': 'singer_sdk.logging.ConsoleFormatter' } },
    root: { handlers: ['default'], level: 'ERROR' },
  });

  test.each<[string, Record<string, string>, Level]>([
    ['nothing', {}, 'INFO'],
    ['its own variable', { TAP_X_LOGLEVEL: 'warning', LOGLEVEL: 'debug' }, 'WARNING'],
    ['the common variable', { LOGLEVEL: 'debug', SINGER_SDK_LOG_CONFIG: meltano }, 'DEBUG'],
    ["Meltano's configuration", { SINGER_SDK_LOG_CONFIG: meltano, LOGLEVEL: '' }, 'ERROR'],
    ['a configuration that is not there', { SINGER_SDK_LOG_CONFIG: '/nowhere' }, 'INFO'],
    ['another word for it', { LOGLEVEL: 'warn' }, 'WARNING'],
    ['an unknown word', { LOGLEVEL: 'loud' }, 'INFO'],
  ])('%s decides', async (_name, env, level) => {
    expect(await shown({}, { env })).toEqual(ALL.slice(ALL.indexOf(level)));
  });

  test('structured lines when Meltano wants them', async () => {
    const path = files.put('structured.json', {
      formatters: { structured: { '()': 'singer_sdk.logging.StructuredFormatter' } },
      root: { level: 'INFO' },
    });
    const { log, out } = await opened({}, { env: { SINGER_SDK_LOG_CONFIG: path } });
    log.info('e', 'm');
    expect(out.objects[0]).toHaveProperty('logger_name');
  });
});

describe('personal data', () => {
  test.each([
    ['mail john.doe+x@sub.example.com now', 'mail ***@***.com now'],
    ['jörg@exämple.de', '***@***.de'],
    ['?user=john%40example.org&x', '?user=***@***.org&x'],
    ['from 10.12.13.14:8080', 'from 10.12.***.***:8080'],
    ['\n10.12.13.14', '\n10.12.***.***'],
    ['v10.0.0.1', 'v10.0.***.***'],
    ['http://127.0.0.1:8020 and 0.0.0.0', 'http://127.0.0.1:8020 and 0.0.0.0'],
    ['fe80::1ff:fe23:4567:890a', 'fe80:***'],
    ['[2001:db8:0:0:0:0:2:1]', '[2001:***]'],
    ['::1', '::1'],
    ['at 12:34:56, mac 00:1b:44:11:3a:b7', 'at 12:34:56, mac 00:1b:44:11:3a:b7'],
    ['build 10.1.2220.17, oid 1.3.6.1.4.1', 'build 10.1.2220.17, oid 1.3.6.1.4.1'],
    ['a@b, x @ y', 'a@b, x @ y'],
  ])('%s', (text, expected) => {
    expect(maskPersonal(text)).toBe(expected);
  });

  test('is masked in messages and at any depth of the fields', async () => {
    const { log, out } = await opened();
    log.info('e', 'to a@b.example', {
      sample: 'x\nc@d.example\t10.1.2.3',
      list: [{ 'e@f.example': 1 }],
      n: 5,
      none: null,
    });
    expect(out.objects[0]).toMatchObject({
      message: 'to ***@***.example',
      sample: 'x\n***@***.example\t10.1.***.***',
      list: [{ '***@***.example': 1 }],
      n: 5,
      none: null,
    });
  });

  test('a long text without any is searched once (quadratic work would run into the time limit)', () => {
    const text = 'a'.repeat(2_000_000);
    expect(maskPersonal(text)).toBe(text);
  });
});

describe('secrets', () => {
  const secret = 'p"ä s\\s/w+&1\n';

  test.each<[string, (text: string) => string]>([
    ['as it is', (text) => text],
    ['in JSON', (text) => JSON.stringify({ text })],
    ['in JSON in JSON', (text) => JSON.stringify(JSON.stringify({ text }))],
    ['in a URL', (text) => `https://x/?q=${encodeURIComponent(text)}`],
    ['in a URL with small letters', (text) => encodeURIComponent(text).replace(/%../g, (code) => code.toLowerCase())],
    ['in a form', (text) => new URLSearchParams({ text }).toString()],
  ])('%s', async (_name, form) => {
    for (const format of ['json', 'singer-sdk', 'pretty'] as const) {
      const { log, out } = await opened({ format });
      log.hide(secret);
      log.info('e', 'see fields', { response: form(secret), deep: [{ [form(secret)]: form(secret) }] });
      log.info('e', form('before') === form(secret) ? '' : 'x', { url: form(secret) });
      if (format !== 'pretty') expect(out.text).toContain('[secret]');
      for (const part of ['ä s', 's/w', '%C3%A4', '%c3%a4']) expect(out.text).not.toContain(part);
    }
  });

  test('one that begins with another leaves nothing behind', async () => {
    const { log, out } = await opened();
    log.hide('abcd');
    log.hide('abcdefgh');
    log.info('e', 'abcdefgh and abcd');
    expect(out.objects[0]?.message).toBe('[secret] and [secret]');
  });

  test('a word of the line itself does not break it', async () => {
    const { log, out } = await opened();
    for (const word of ['message', 'level', 'INFO', 'timestamp', '2026', 'nope']) log.hide(word);
    log.info('e', '\nope nope');
    expect(out.objects[0]).toMatchObject({ level: 'INFO', message: ' ope [secret]' });
  });

  test('very short ones would blank out innocent text', async () => {
    const { log, out } = await opened();
    log.hide('abc');
    log.info('e', 'abc');
    expect(out.objects[0]?.message).toBe('abc');
  });
});

describe('samples', () => {
  test('are at most 1 KB, masked, no character halved', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('x', 'é', '𝄞', '…', ' '), minLength: 0, maxLength: 3000 }),
        (text) => {
          const sample = sampleOf(text);
          expect(Buffer.byteLength(sample)).toBeLessThanOrEqual(1024);
          expect(sample.isWellFormed()).toBe(true);
          expect(sample.endsWith('…') ? text.startsWith(sample.slice(0, -1)) : sample === text).toBe(true);
        },
      ),
    );
    expect(sampleOf('a@b.example')).toBe('***@***.example');
  });
});
