import { copyFileSync, existsSync, readFileSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { runTapworks } from '../../runner/tapworks.ts';
import type { Manifest } from '../../simulators/servicedesk/manifest.ts';
import { folder } from '../singer/folder.ts';
import { memoryIo } from '../singer/memory-io.ts';
import { generating, hashOf } from './servicedesk-files.ts';

const make = generating();
const place = folder();

/** What `tapworks simulate servicedesk` does with these flags. */
async function simulate(...flags: readonly string[]) {
  const io = memoryIo(['simulate', 'servicedesk', ...flags]);
  const code = await runTapworks(io);
  return { code, printed: io.stdout.objects, failure: io.stderr.objects.at(-1)?.message };
}

describe('the state of the file', () => {
  test('pages of another size', async () => {
    const { db } = await make({ rows: 500, pageSize: 8192 });
    expect(db.pragma('page_size', { simple: true })).toBe(8192);
    expect(db.pragma('journal_mode', { simple: true })).toBe('delete');
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
  });

  test('free pages', async () => {
    const { db, file } = await make({ rows: 500, padFreeMb: 3 });
    expect(Number(db.pragma('freelist_count', { simple: true })) * 4096).toBeGreaterThanOrEqual(3 * 1024 * 1024);
    expect(statSync(file).size).toBeGreaterThan(3 * 1024 * 1024);
    expect(db.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'padding'").pluck().get()).toBe(0);
  });

  test('WAL mode', async () => {
    const { db } = await make({ rows: 500, wal: true });
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
  });

  test('commits that are in the -wal only', async () => {
    const whole = await make({ rows: 2000, profile: 'phase1' });
    const { file, db, manifest, value } = await make({ rows: 2000, profile: 'phase1', leaveWal: 40 });
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(40 * 4096);
    const alone = place.at('without-wal.db');
    copyFileSync(file, alone);
    const without = new Database(alone);
    const rows = manifest.tables.timesheets.rows;
    expect(without.prepare('SELECT count(*) FROM timesheets').pluck().get()).toBe(rows - 40);
    without.close();
    expect(value('SELECT count(*) FROM timesheets')).toBe(rows);
    for (const table of ['tickets', 'comments', 'timesheets'] as const) {
      expect(hashOf(db, table)).toBe(manifest.tables[table].logical_hash_dirty);
      expect(hashOf(db, table)).toBe(hashOf(whole.db, table));
    }
  });

  test('longer texts by tags', async () => {
    const [plain, mail] = [await make(), await make({ htmlFactor: 4 })];
    const length = 'SELECT avg(length(comment_text)) FROM comments';
    expect(mail.value(length) / plain.value(length)).toBeCloseTo(4, 0);
    expect(mail.value('SELECT max(length(comment_text)) FROM comments')).toBeLessThanOrEqual(100_000);
    expect(mail.value("SELECT count(*) FROM comments WHERE comment_text LIKE '<div>%'")).toBeGreaterThan(0);
  });
});

describe('tapworks simulate servicedesk', () => {
  test('writes the database and its manifest and says where', async () => {
    const [out, manifestFile] = [place.at('told.db'), place.at('told.json')];
    const { code, printed } = await simulate(
      ...['--rows', '1000', '--profile', 'phase1', '--seed', '7', '--out', out, '--manifest', manifestFile],
      ...['--defect', 'D01=3,nul_byte=1', '--defect', 'D25=1%', '--as-of', '2026-01-15'],
    );
    expect(code).toBe(0);
    const manifest = JSON.parse(readFileSync(manifestFile, 'utf8')) as Manifest;
    expect(printed).toEqual([
      {
        database: out,
        manifest: manifestFile,
        rows: Object.fromEntries(Object.entries(manifest.tables).map(([name, { rows }]) => [name, rows])),
      },
    ]);
    expect(manifest).toMatchObject({ seed: 7, options: { profile: 'phase1', rows: 1000, as_of: '2026-01-15' } });
    expect(manifest.options.defects).toEqual({ D01: 3, D02: 2, D12: 15, D17: 5, D25: 4, D28: 1 });
    const db = new Database(out, { readonly: true });
    expect(hashOf(db, 'comments')).toBe(manifest.tables.comments.logical_hash_dirty);
    expect(db.prepare('SELECT max("TS-Date") FROM timesheets').pluck().get()).toBe('2026-09-29 00:00:00');
    db.close();
  });

  test('puts the manifest beside the database', async () => {
    const out = place.at('beside.db');
    expect((await simulate('--rows', '500', '--out', out)).code).toBe(0);
    expect(JSON.parse(place.read('beside.db.manifest.json'))).toMatchObject({ seed: 1, options: { profile: 'clean' } });
  });

  test('says which classes a small file has no room for', async () => {
    const { failure, code } = await simulate('--rows', '200', '--profile', 'dirty', '--out', place.at('small.db'));
    expect(code).toBe(0);
    expect(failure).toMatch(/small\.db: dirty, \d+ defects/);
    expect(place.read('small.db.manifest.json')).toContain('"D05":{"name":"slash_date_only","count":0,"cells":[]}');
  });

  test('leaves a file alone that holds something', async () => {
    const out = place.put('taken.db', 'something else');
    const { code, failure } = await simulate('--rows', '500', '--out', out);
    expect([code, failure]).toEqual([1, expect.stringContaining(`${out} already holds something`)]);
    expect(place.read('taken.db')).toBe('something else');
  });

  test.each([
    [[], '--out is missing'],
    [['--out', 'x.db', '--rows', '7'], '--rows must be at least 200'],
    [['--out', 'x.db', '--rows', '2.5e3.5'], '--rows must be a whole number'],
    [['--out', 'x.db', '--profile', 'filthy'], '--profile "filthy" is not known'],
    [['--out', 'x.db', '--schema-variant', 'new'], '--schema-variant "new" is not known'],
    [['--out', 'x.db', '--as-of', '2025-02-31'], '--as-of "2025-02-31" is not a day'],
    [['--out', 'x.db', '--as-of', '1969-12-31'], '--as-of "1969-12-31" is not a day'],
    [['--out', 'x.db', '--manifest', 'x.db'], '--manifest and --out are the same file'],
    [['--out', place.at('few.db'), '--rows', '500', '--manifest', '/dev/null/x.json'], 'cannot write the database'],
    [['--out', 'x.db', '--page-size', '5000'], '--page-size must be a power of two'],
    [['--out', 'x.db', '--html-factor', '0.5'], '--html-factor must be 1 or more'],
    [['--out', 'x.db', '--defect', 'D99=1'], 'there is no class "D99"'],
    [['--out', 'x.db', '--defect', 'D01'], '--defect "D01" is not understood'],
    [['--out', 'x.db', '--defect', 'D01=200%'], 'a share is at most 1'],
    [['--out', place.at('few.db'), '--rows', '500', '--leave-wal', '5000'], 'timesheets, not 5000'],
    [['--out', place.at('few.db'), '--rows', '500', '--defect', 'D36=99'], 'D36 was to take 99, but'],
    [['--out', '/dev/null/x.db', '--rows', '500'], 'cannot write the database'],
  ])('refuses %j', async (flags, problem) => {
    expect(await simulate(...flags)).toMatchObject({ code: 1, failure: expect.stringContaining(problem) });
    for (const end of ['', '-wal', '.building', '.packed', '.manifest.json']) {
      expect(existsSync(`${place.at('few.db')}${end}`)).toBe(false);
    }
  });

  test('stops when it is told to and leaves nothing behind', async () => {
    const out = place.at('stopped.db');
    const io = memoryIo(['simulate', 'servicedesk', '--rows', '50000', '--out', out]);
    io.stop('SIGTERM');
    expect(await runTapworks(io)).toBe(143);
    for (const end of ['', '.building', '.packed', '.manifest.json']) expect(existsSync(`${out}${end}`)).toBe(false);
  });
});
