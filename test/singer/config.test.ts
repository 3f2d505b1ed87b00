import { describe, expect, test } from 'vitest';
import {
  loadSettings,
  nearest,
  type Settings,
  type SettingsRequest,
  type SettingsSchema,
} from '../../singer/config.ts';
import { ConnectorError } from '../../singer/errors.ts';
import { openLog } from '../../singer/log.ts';
import { folder } from './folder.ts';
import { memoryIo } from './memory-io.ts';

const schema: SettingsSchema = {
  properties: {
    base_url: { type: 'string', format: 'uri', examples: ['https://pmp.example.com'] },
    page_size: { type: 'integer', minimum: 1, default: 25 },
    share: { type: 'number' },
    verify_tls: { type: 'boolean', default: true },
    streams: { type: 'array', items: { type: 'string' } },
    data_sets: { type: 'object' },
    mode: { type: 'string', enum: ['a', 'b'] },
    slack_webhook_url: { type: 'string', 'x-env': ['SLACK_WEBHOOK_URL'] },
    api_token: { type: 'string', secret: true },
  },
  required: ['base_url'],
};
const files = folder();
const base = files.put('base.json', { base_url: 'https://x.example' });

async function load(sources: readonly string[], env: Record<string, string> = {}, more: Partial<SettingsRequest> = {}) {
  const io = memoryIo([], { env });
  const log = await openLog('tap-x', io);
  const settings = await loadSettings({ plugin: 'tap-x', schema, sources, complete: true, ...more }, io, log);
  return { settings, log, io };
}
const settingsOf = async (...given: Parameters<typeof load>): Promise<Settings> => (await load(...given)).settings;

async function faultsOf(...given: Parameters<typeof load>): Promise<string> {
  const error = await load(...given).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConnectorError);
  return (error as ConnectorError).line;
}

describe('order', () => {
  const first = files.put('first.json', { base_url: 'https://first.example', page_size: 1, mode: 'a' });
  const second = files.put('second.json', { page_size: 2 });
  const env = { TAP_X_PAGE_SIZE: '3', TAP_X_MODE: 'b', TAP_X_BASE_URL: 'https://env.example' };

  test.each<[string, string[], Record<string, string>, Settings]>([
    ['defaults', [base], {}, { page_size: 25, verify_tls: true }],
    ['environment over defaults', [], env, { page_size: 3, mode: 'b', base_url: 'https://env.example' }],
    ['files over environment', [first], env, { page_size: 1, mode: 'a', base_url: 'https://first.example' }],
    ['later files over earlier ones', [first, second], env, { page_size: 2, mode: 'a' }],
    ['ENV in its place, first', ['ENV', first], env, { page_size: 1, mode: 'a' }],
    ['ENV in its place, between', [first, 'ENV', second], env, { page_size: 2, mode: 'b' }],
    ['ENV in its place, last', [first, 'ENV'], env, { page_size: 3, mode: 'b' }],
  ])('%s', async (_name, sources, given, expected) => {
    expect(await settingsOf(sources, given)).toMatchObject(expected);
  });

  test('keys that begin with _ are ignored, null means not set', async () => {
    const file = files.put('null.json', {
      _comment: 'x',
      _: 1,
      page_size: null,
      mode: null,
      base_url: 'https://x.example',
    });
    expect(await settingsOf([file])).toEqual({ page_size: 25, verify_tls: true, base_url: 'https://x.example' });
  });

  test('a file may begin with a byte order mark', async () => {
    const file = files.put('bom.json', '\ufeff{"base_url":"https://x.example"}');
    expect(await settingsOf([file])).toMatchObject({ base_url: 'https://x.example' });
  });
});

describe('environment', () => {
  test.each<[string, string, unknown]>([
    ['PAGE_SIZE', '7', 7],
    ['PAGE_SIZE', ' 7 ', 7],
    ['SHARE', '0.95', 0.95],
    ['SHARE', '-1', -1],
    ['VERIFY_TLS', 'FALSE', false],
    ['VERIFY_TLS', '0', false],
    ['VERIFY_TLS', '1', true],
    ['STREAMS', '["a","b"]', ['a', 'b']],
    ['DATA_SETS', '{"plex":12}', { plex: 12 }],
    ['MODE', 'a', 'a'],
    ['BASE_URL', 'https://0', 'https://0'],
  ])('TAP_X_%s=%s', async (name, text, expected) => {
    const settings = await settingsOf([base, 'ENV'], { [`TAP_X_${name}`]: text });
    expect(settings[name.toLowerCase()]).toEqual(expected);
  });

  test.each([
    ['PAGE_SIZE', 'many', 'page_size must be integer (example: 25)'],
    ['PAGE_SIZE', '0', 'page_size must be >= 1'],
    ['VERIFY_TLS', 'maybe', 'verify_tls must be boolean (example: true)'],
    ['STREAMS', 'a,b', 'streams must be array'],
    ['STREAMS', '[a', 'streams must be array'],
    ['DATA_SETS', '{', 'data_sets must be object'],
  ])('TAP_X_%s=%s is refused', async (name, text, problem) => {
    expect(await faultsOf([base], { [`TAP_X_${name}`]: text })).toContain(problem);
  });

  test('other names of a setting count, its own wins; empty means not set', async () => {
    const more = { SLACK_WEBHOOK_URL: 'https://a.example' };
    expect(await settingsOf([base], more)).toMatchObject({ slack_webhook_url: 'https://a.example' });
    expect(await settingsOf([base], { ...more, TAP_X_SLACK_WEBHOOK_URL: 'https://b.example' })).toMatchObject({
      slack_webhook_url: 'https://b.example',
    });
    expect(await settingsOf([base], { ...more, TAP_X_SLACK_WEBHOOK_URL: '' })).toMatchObject({
      slack_webhook_url: 'https://a.example',
    });
  });
});

describe('faults', () => {
  test('are told all at once, each with its name, the problem and an example', async () => {
    const file = files.put('wrong.json', {
      base_url: 'no address',
      page_size: 'x',
      mode: 'c',
      streams: [1],
      pagesize: 1,
      stream_maps: {},
      completely_else: 1,
      api_token: 5,
    });
    const line = await faultsOf([files.at('missing.json'), file]);
    expect(line).toContain('tap-x: 9 settings are wrong: ');
    for (const part of [
      `--config ${files.at('missing.json')} cannot be read: ENOENT`,
      'base_url must match format "uri" (example: "https://pmp.example.com")',
      'page_size must be integer (example: 25)',
      'mode must be one of "a", "b"',
      'streams/0 must be string',
      'pagesize is not a known setting; did you mean "page_size"?',
      'stream_maps is a setting of other Singer tools that tapworks does not offer; remove it',
      'api_token must be text, or {"env":"NAME"}',
      'nothing was read or written; tap-x --about describes every setting',
    ])
      expect(line).toContain(part);
    expect(line).toMatch(/completely_else is not a known setting(?!; did)/);
  });

  test.each([
    ['missing', {}, 'a setting is wrong: base_url is missing (example: "https://pmp.example.com")'],
    ['a list', '[]', 'must hold a JSON object'],
    ['no JSON', '{"api_token": s3cr3t-value}', 'is not JSON: Unexpected token'],
  ])('a file: %s', async (_name, content, problem) => {
    const line = await faultsOf([files.put('one.json', content)]);
    expect(line).toContain(problem);
    expect(line).not.toContain('s3cr3t');
  });

  test('settings may be named like the fields of a fault', async () => {
    expect(await faultsOf([files.put('odd.json', { setting: 'a', problem: 'b' })])).toContain(
      'setting is not a known setting',
    );
  });

  test('rules span settings', async () => {
    const rules = (settings: Settings) => (settings.mode === 'a' ? [{ setting: 'share', problem: 'is needed' }] : []);
    expect(await faultsOf([base], { TAP_X_MODE: 'a' }, { rules })).toContain(
      'tap-x: a setting is wrong: share is needed',
    );
    expect(await settingsOf([base], { TAP_X_MODE: 'b' }, { rules })).toMatchObject({ mode: 'b' });
  });

  test('commands that make no request need neither what is required nor a rule nor a secret', async () => {
    const file = files.put('status.json', { api_token: { env: 'NOT_SET' }, mode: 'a' });
    const rules = () => [{ setting: 'share', problem: 'is needed' }];
    expect(await settingsOf([file], {}, { complete: false, rules })).toMatchObject({ api_token: { env: 'NOT_SET' } });
    expect(await faultsOf([files.put('typo.json', { pagesize: 1 })], {}, { complete: false })).toContain('pagesize');
  });

  test.each([
    ['page_sise', 'page_size'],
    ['totally', undefined],
  ])('the nearest name of %s is %s', (name, expected) => {
    expect(nearest(name, ['page_size', 'mode'])).toBe(expected);
    expect(nearest(name, [])).toBeUndefined();
  });
});

describe('secrets', () => {
  const withToken = (api_token: unknown) => files.put('secret.json', { base_url: 'https://x.example', api_token });

  test.each<[string, unknown, Record<string, string>]>([
    ['as text', 'top-secret', {}],
    ['from the environment', { env: 'MY_TOKEN' }, { MY_TOKEN: 'top-secret' }],
    ['from a file, without its last line end', { file: files.put('token', 'top-secret\n') }, {}],
    ['from a file of Windows', { file: files.put('token.crlf', 'top-secret\r\n') }, {}],
  ])('%s', async (_name, value, env) => {
    const { settings, log, io } = await load([withToken(value)], env);
    expect(settings.api_token).toBe('top-secret');
    log.info('x', 'sent top-secret');
    expect(io.stderr.text).not.toContain('top-secret');
  });

  test('by a reference in the environment', async () => {
    const env = { TAP_X_API_TOKEN: '{"env":"MY_TOKEN"}', MY_TOKEN: 'top-secret' };
    expect((await settingsOf([base], env)).api_token).toBe('top-secret');
  });

  test.each(['{"type":"service_account","key":"k"}', '[1]', '{not json', '"quoted"'])(
    'a secret in the environment may look like JSON: %s',
    async (text) => {
      expect((await settingsOf([base], { TAP_X_API_TOKEN: text })).api_token).toBe(text);
    },
  );

  test.each<[string, unknown, string]>([
    ['variable not set', { env: 'NOPE' }, 'api_token names the environment variable NOPE, which is not set'],
    ['variable empty', { env: 'EMPTY' }, 'api_token names the environment variable EMPTY, which is not set'],
    [
      'no such file',
      { file: '/nowhere/token' },
      'api_token names the file /nowhere/token, which cannot be read: ENOENT',
    ],
    ['empty file', { file: files.put('none', '\n') }, 'which is empty'],
    ['keyring without account', { keyring: 'service' }, 'must name the keyring entry as "service/account"'],
    ['keyring without service', { keyring: '/account' }, 'must name the keyring entry as "service/account"'],
    [
      'keyring that is not there',
      { keyring: 'tapworks-test/nobody' },
      'api_token names the keyring entry tapworks-test/nobody, which',
    ],
    ['empty text', '', 'api_token must be text, or {"env":"NAME"}, {"file":"path"} or {"keyring":"service/account"}'],
    ['unknown form', { vault: 'x' }, 'api_token must be text, or'],
    ['two forms', { env: 'A', file: 'b' }, 'api_token must be text, or'],
    ['number', 5, 'api_token must be text, or'],
  ])('%s', async (_name, value, problem) => {
    expect(await faultsOf([withToken(value)], { EMPTY: '' })).toContain(problem);
  });

  test('are hidden even when other settings are wrong', async () => {
    const io = memoryIo();
    const log = await openLog('tap-x', io);
    const sources = [files.put('both.json', { base_url: 5, api_token: 'top-secret' })];
    await expect(loadSettings({ plugin: 'tap-x', schema, sources, complete: true }, io, log)).rejects.toThrow(
      'base_url',
    );
    log.info('x', 'top-secret');
    expect(io.stderr.text).toContain('[secret]');
  });
});
