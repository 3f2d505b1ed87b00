/**
 * Questions of the documentation, asked of the database that `npm start` leaves: the answers printed there are the real
 * ones. `TAPWORKS_UPDATE_DOCS=1 npx vitest run test/docs/answers.test.ts` writes them anew.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DOCUMENTS, ROOT, read } from './documents.ts';
import { answered, complianceQuestions, questionsOf } from './questions.ts';

const asking = DOCUMENTS.filter((document) => questionsOf(document).length > 0);

let folder: string;
let db: Database.Database;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tapworks-answers-'));
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'dist/bin/tapworks.js'), 'demo'], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  db = new Database(join(folder, 'demo', 'pmp.db'), { readonly: true });
});
afterAll(() => {
  db?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('answers in', () => {
  test.each(asking.map((document) => [document.path, document] as const))(
    '%s are those of the demo',
    (path, document) => {
      const made = answered(document, db);
      if (process.env.TAPWORKS_UPDATE_DOCS === '1') writeFileSync(join(ROOT, path), made);
      expect(read(path)).toBe(made);
    },
  );
});

describe('a compliance officer asks', () => {
  test('more than five questions', () => expect(complianceQuestions().length).toBeGreaterThan(5));

  test.each(complianceQuestions().map(({ title, sql }) => [title, sql] as const))('%s', (_title, sql) => {
    expect(db.prepare(sql).all()).not.toEqual([]);
    expect(sql, 'rows that have left are left out').toContain('_sdc_deleted_at IS NULL');
  });
});
