/** BATCH messages: records in files beside the stream. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import type { Cases, Scene } from '../target.ts';
import { lines } from './load.ts';

const USERS = {
  type: 'SCHEMA',
  stream: 'users',
  schema: { properties: { id: { type: 'integer' }, name: { type: ['null', 'string'] } } },
  key_properties: ['id'],
};
const batch = (manifest: readonly string[], compression = 'none', format = 'jsonl') => ({
  type: 'BATCH',
  stream: 'users',
  encoding: { format, compression },
  manifest,
});
const STATE = { type: 'STATE', value: { n: 1 } };

/** Runs `body` with a folder whose name needs escaping in an address. */
async function inFolder(body: (put: (name: string, content: string | Buffer) => Promise<string>) => Promise<void>) {
  const root = await mkdtemp(join(tmpdir(), 'tapworks-batch-'));
  const folder = join(root, 'two words % ü');
  await mkdir(folder);
  try {
    await body(async (name, content) => {
      await writeFile(join(folder, name), content);
      return join(folder, name);
    });
  } finally {
    await rm(root, { recursive: true });
  }
}

const refused =
  (message: object, text: RegExp) =>
  async ({ load, destination }: Scene) => {
    const { code, states, critical } = await load(
      lines(USERS, { type: 'RECORD', stream: 'users', record: { id: 7 } }, message, STATE),
    );
    expect([code, states]).toEqual([1, []]);
    expect(critical[0]?.message).toMatch(text);
    expect(critical[0]?.message).toContain('line 3');
    expect(await destination.rows('users')).toHaveLength(1);
  };

export const batchFileCases: Cases = {
  'files are loaded in the order of the manifest, before any later state': ({ begin, destination }) =>
    inFolder(async (put) => {
      const one = await put('one.jsonl', lines({ id: 1, name: 'old' }, { id: 2, name: 'b' }));
      const two = await put(
        'two.jsonl.gz',
        gzipSync(lines({ id: 1, name: 'new' }, '', { id: 3, name: 'c' }).trimEnd()),
      );
      const more = await put('more.jsonl', lines({ id: 2, name: 'later' }, { id: 4, name: 'd' }));
      const loading = await begin({ settings: { batch_rows: 1_000 } });
      const seen = loading.stdout.until((text) => text !== '').then(() => destination.rows('users'));
      loading.send(lines(USERS, batch([one, more]), batch([pathToFileURL(two).href], 'gzip'), STATE));
      expect(await loading.finish()).toMatchObject({ code: 0, states: ['{"n":1}'] });
      expect((await seen).map(({ id, name }) => `${id}${name}`).sort()).toEqual(['1new', '2later', '3c', '4d']);
    }),
  'limits count the records of files': ({ begin, destination }) =>
    inFolder(async (put) => {
      const file = await put('many.jsonl', lines(...Array.from({ length: 5 }, (_, id) => ({ id }))));
      const loading = await begin({ settings: { batch_rows: 2 } });
      loading.send(lines(USERS, batch([file])));
      await loading.stdin.idle();
      expect((await destination.rows('users')).length).toBeGreaterThanOrEqual(4);
      await loading.finish();
    }),
  'a record of a file that does not fit is named by its place': ({ load, destination, fresh }) =>
    inFolder(async (put) => {
      const file = await put('bad.jsonl', lines({ id: 1 }, { id: 'two' }, { id: 3 }));
      const { code, critical } = await load(lines(USERS, batch([file])));
      expect(code).toBe(1);
      expect(critical[0]?.message).toMatch(/line 2: stream "users": "id" must be integer \(line 2 of .*bad\.jsonl\)/);
      expect((await destination.rows('users')).map(({ id }) => id)).toEqual(['1']);
      const other = await fresh();
      await other.load(lines(USERS, batch([file])), { settings: { on_invalid_record: 'quarantine' } });
      const [reject] = await other.destination.rows('_tapworks_rejects');
      expect(reject?.line).toBe('2');
      expect(reject?.reason).toMatch(/must be integer \(line 2 of .*bad\.jsonl\)/);
      expect(await other.destination.rows('users')).toHaveLength(2);
    }),
  'a file that is cut off or damaged ends the load': ({ load }) =>
    inFolder(async (put) => {
      const whole = gzipSync(lines({ id: 1 }, { id: 2 }));
      for (const [file, compression, text] of [
        [await put('cut.jsonl', '{"id":1}\n{"id":'), 'none', /line 2 of .*cut\.jsonl is not JSON/],
        [await put('cut.gz', whole.subarray(0, -12)), 'gzip', /is not whole gzip/],
        [await put('list.jsonl', '[1]\n'), 'none', /is not a record/],
      ] as const) {
        const { code, critical } = await load(lines(USERS, batch([file], compression)));
        expect([code, critical[0]?.message]).toEqual([1, expect.stringMatching(text)]);
      }
    }),
  'a file that is missing ends the load': refused(batch(['/nonexistent/batch.jsonl']), /cannot be read/),
  'files elsewhere are refused': refused(batch(['s3://bucket.example.invalid/a.jsonl']), /lies at s3:\/\//),
  'parquet is refused': refused(batch(['a.parquet'], 'none', 'parquet'), /format "parquet".*only jsonl/),
  'an unknown compression is refused': refused(batch(['a.jsonl'], 'zstd'), /compressed with "zstd"/),
  'a batch before the schema of its stream is refused': ({ load }) =>
    inFolder(async (put) => {
      const { code, critical } = await load(lines(batch([await put('one.jsonl', lines({ id: 1 }))])));
      expect([code, critical[0]?.message]).toEqual([1, expect.stringMatching(/before its schema/)]);
    }),
};
