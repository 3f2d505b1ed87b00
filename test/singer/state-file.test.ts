import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConnectorError } from '../../singer/errors.ts';
import type { Log } from '../../singer/log.ts';
import { openLog } from '../../singer/log.ts';
import {
  checkState,
  readState,
  replaceFile,
  type State,
  type StateDeclaration,
  saveState,
} from '../../singer/state-file.ts';
import { folder } from './folder.ts';
import { memoryIo, NOW } from './memory-io.ts';

const declaration: StateDeclaration = {
  version: 2,
  bookmarks: {
    systems: { type: 'object', properties: { next: { type: 'integer', minimum: 1 } }, required: ['next'] },
  },
  top: { snapshot: { type: 'object', properties: { id: { type: 'integer' } } } },
  migrate: (state, from) => ({ ...state, bookmarks: { ...state.bookmarks, migrated: from } }),
};
const files = folder();

async function read(path: string | undefined): Promise<{ state?: State; error?: ConnectorError; log: string }> {
  const io = memoryIo();
  const log: Log = await openLog('tap-x', io);
  try {
    return { state: await readState(path, declaration, log, NOW), log: io.stderr.text };
  } catch (error) {
    if (!(error instanceof ConnectorError)) throw error;
    return { error, log: io.stderr.text };
  }
}

describe('first runs', () => {
  test.each([
    ['no flag', undefined, undefined],
    ['a missing file', 'missing.json', undefined],
    ['an empty file', 'empty.json', ''],
    ['a file of blanks', 'blank.json', ' \n\t\n'],
    ['nothing but a byte order mark', 'bom.json', '\ufeff'],
  ])('%s', async (_name, name, content) => {
    if (name !== undefined && content !== undefined) files.put(name, content);
    expect(await read(name === undefined ? undefined : files.at(name))).toEqual({ state: {}, log: '' });
  });

  test('an empty object', async () => {
    expect((await read(files.put('object.json', {}))).state).toEqual({ state_version: 2, bookmarks: {} });
  });
});

describe('a corrupt file', () => {
  test.each([
    ['half a file', '{"bookmarks":{"systems"'],
    ['zeros after a power cut', '\0'.repeat(100)],
    ['another program printed into it', 'hello\n{}'],
  ])('%s is kept aside, with a warning, and the run starts over', async (name, content) => {
    const path = files.put(`${name}.json`, content);
    const { state, log } = await read(path);
    expect(state).toEqual({});
    const kept = `${path}.corrupt-2026-01-31T060000000Z`;
    expect(readFileSync(kept, 'utf8')).toBe(content);
    expect(existsSync(path)).toBe(false);
    expect(JSON.parse(log)).toMatchObject({
      level: 'WARNING',
      event_type: 'state_corrupt',
      message: expect.stringContaining(kept),
    });
  });

  test('from a pipe has nothing to keep', async () => {
    const pipe = files.at('pipe');
    execFileSync('mkfifo', [pipe]);
    const writer = spawn('sh', ['-c', 'printf "{half" > "$0"', pipe]);
    const { state, log } = await read(pipe);
    expect(state).toEqual({});
    expect(log).not.toContain('kept as');
    expect(statSync(pipe).isFIFO()).toBe(true);
    writer.kill();
  });

  test('that cannot be moved away is an error', async () => {
    const inside = files.at('gone');
    mkdirSync(inside);
    const path = join(inside, 'state.json');
    const io = memoryIo();
    const log = await openLog('tap-x', io);
    files.put('gone/state.json', '{');
    // The target of the move exists as a folder.
    mkdirSync(`${path}.corrupt-2026-01-31T060000000Z`);
    await expect(readState(path, declaration, log, NOW)).rejects.toMatchObject({
      code: 'state',
      message: expect.stringContaining('cannot be kept aside'),
    });
    expect(readFileSync(path, 'utf8')).toBe('{');
  });
});

describe('a state through a pipe', () => {
  test('is read like a file', async () => {
    const pipe = files.at('good-pipe');
    execFileSync('mkfifo', [pipe]);
    spawn('sh', ['-c', `printf '{"bookmarks":{"systems":{"next":3}}}' > "$0"`, pipe]);
    expect((await read(pipe)).state?.bookmarks).toEqual({ systems: { next: 3 } });
  });
});

describe('a state that does not fit is refused by its place', () => {
  test.each([
    ['a list', '[]', 'the whole value is not an object'],
    ['null', 'null', 'the whole value is not an object'],
    ['a number', '12345678901234567890', 'the whole value is not an object'],
    ['a STATE message', '{"type":"STATE","value":{}}', 'is a STATE message'],
    ['bookmarks of another shape', '{"bookmarks":[]}', '/bookmarks is not an object'],
    [
      'a bookmark of another shape',
      '{"bookmarks":{"systems":{"next":"3"}}}',
      '/bookmarks/systems/next must be integer',
    ],
    ['a bookmark that lacks something', '{"bookmarks":{"systems":{}}}', '/bookmarks/systems lacks "next"'],
    ['a bookmark out of range', '{"bookmarks":{"systems":{"next":0}}}', '/bookmarks/systems/next must be >= 1'],
    ['another top-level key', '{"snapshot":{"id":"x"}}', '/snapshot/id must be integer'],
    ['a version that is no number', '{"state_version":"2"}', '/state_version is not a number'],
  ])('%s', async (_name, content, problem) => {
    const path = files.put('foreign.json', content);
    const { error } = await read(path);
    expect(error?.message).toContain(problem);
    expect(error?.message).toContain(path);
    expect(error?.code).toBe('state');
    expect(readFileSync(path, 'utf8')).toBe(content);
  });

  test('a folder is no state file', async () => {
    expect((await read(files.path)).error?.message).toContain('cannot read the state file');
  });
});

describe('versions', () => {
  test('a newer one is refused', async () => {
    const { error } = await read(files.put('newer.json', { state_version: 3 }));
    expect(error?.message).toContain('newer tapworks (state_version 3, this one knows 2)');
    expect(error?.hint).toContain('upgrade');
  });

  test('an older one is migrated', () => {
    expect(checkState({ state_version: 1, bookmarks: { other: 1 } }, declaration, 'f')).toEqual({
      state_version: 2,
      bookmarks: { other: 1, migrated: 1 },
    });
  });

  test('an older one passes where nothing needs to be done', () => {
    const { migrate: _migrate, ...plain } = declaration;
    expect(checkState({ state_version: 1 }, plain, 'f')).toEqual({ state_version: 2, bookmarks: {} });
  });
});

test('bookmarks and top-level keys that the tap does not know are kept, digit for digit', async () => {
  const text = '{"state_version":2,"bookmarks":{"old":{"lsn":12345678901234567890},"systems":{"next":2}},"mine":[1]}';
  const { state } = await read(files.put('unknown.json', text));
  expect(JSON.stringify(state)).toBe(text);
});

test('a long whole number fits where an integer is asked for', async () => {
  const { state } = await read(files.put('long.json', '{"bookmarks":{"systems":{"next":12345678901234567890}}}'));
  expect(JSON.stringify(state)).toContain('12345678901234567890');
});

describe('saving', () => {
  test('replaces the file, mode 600, and leaves no temporary file', async () => {
    const own = files.at('own');
    mkdirSync(own);
    const path = join(own, 'state.json');
    for (const n of [1, 2]) {
      await saveState(path, { bookmarks: { n } });
      expect(readFileSync(path, 'utf8')).toBe(`{"bookmarks":{"n":${n}}}\n`);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(readdirSync(own)).toEqual(['state.json']);
    }
  });

  test('a link keeps pointing to the file', async () => {
    const path = files.put('linked.json', '{}');
    symlinkSync(path, files.at('link.json'));
    await saveState(files.at('link.json'), { a: 1 });
    expect(lstatSync(files.at('link.json')).isSymbolicLink()).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('{"a":1}\n');
  });

  test('a pipe is written to, not replaced', async () => {
    const pipe = files.at('out-pipe');
    execFileSync('mkfifo', [pipe]);
    const reader = spawn('cat', [pipe]);
    const got = new Promise<string>((resolve) => reader.stdout.on('data', (data: Buffer) => resolve(String(data))));
    await saveState(pipe, { a: 1 });
    expect(await got).toBe('{"a":1}\n');
    expect(statSync(pipe).isFIFO()).toBe(true);
  });

  test('a folder that is gone is a clear error', async () => {
    const gone = files.at('removed');
    mkdirSync(gone);
    rmSync(gone, { recursive: true });
    await expect(saveState(join(gone, 's.json'), {})).rejects.toMatchObject({
      code: 'destination',
      message: expect.stringContaining(join(gone, 's.json')),
      hint: 'create the folder first',
    });
  });

  test('a failed replacement keeps what was there and takes its temporary file away', async () => {
    const path = files.at('is-folder');
    mkdirSync(path);
    await expect(replaceFile(path, 'x', 0o600)).rejects.toMatchObject({ code: 'destination' });
    expect(statSync(path).isDirectory()).toBe(true);
    expect(readdirSync(files.path).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('a disk that is full keeps the old content', () => {
    const own = files.at('full');
    mkdirSync(own);
    const path = files.put('full/state.json', '{"old":true}');
    const module = new URL('../../singer/state-file.ts', import.meta.url).href;
    const program = `const { saveState } = await import(${JSON.stringify(module)});
      await saveState(${JSON.stringify(path)}, { big: 'x'.repeat(100_000) }).then(
        () => process.stdout.write('saved'), (error) => process.stdout.write(error.code + ': ' + error.line));`;
    const { stdout } = spawnSync(
      'sh',
      ['-c', 'ulimit -f 8; exec "$0" --input-type=module -e "$1"', process.execPath, program],
      {
        encoding: 'utf8',
        env: { ...process.env, NODE_OPTIONS: '' },
      },
    );
    expect(stdout).toContain(`destination: cannot write ${path}`);
    expect(readFileSync(path, 'utf8')).toBe('{"old":true}');
    expect(readdirSync(own)).toEqual(['state.json']);
  });
});
