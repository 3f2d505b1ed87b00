/**
 * The compliance questions of the README over what the real taps and the real target have loaded: they go through the
 * indexes that the schemas ask for, and rows that have left do not count.
 */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { complianceQuestions, type Question } from '../docs/questions.ts';
import { openWorkshop, type Workshop } from './workshop.ts';

const MAPPING = 'patch_system_mapping';
const FIRST = 7;

let shop: Workshop;

/** Loads both taps into one file as one snapshot. */
async function load(snapshot: number, database = shop.database): Promise<void> {
  const env = { ...shop.env, TARGET_SQLITE_DATABASE: database };
  for (const name of ['tap-dcapi', 'tap-pmp']) {
    const state = join(shop.folder, `${database === shop.database ? '' : 'fresh-'}${name}.json`);
    const { exitCode, lines } = await shop.run({
      tap: { name, args: ['--config', shop.tapConfig, '--config', 'ENV'] },
      target: { name: 'target-sqlite', args: ['--config', shop.targetConfig, '--config', 'ENV'] },
      state,
      env: { ...env, TAP_PMP_SNAPSHOT_ID: String(snapshot), TAP_DCAPI_SNAPSHOT_ID: String(snapshot) },
    });
    expect(exitCode, lines.join('\n')).toBe(0);
  }
}

function ask<Answer>(question: (db: Database.Database) => Answer, file = shop.database): Answer {
  const db = new Database(file, { readonly: true });
  try {
    return question(db);
  } finally {
    db.close();
  }
}

const answers = (file?: string) =>
  ask((db) => Object.fromEntries(complianceQuestions().map(({ title, sql }) => [title, db.prepare(sql).all()])), file);

/** The question whose words are these. */
function asked(words: RegExp): Question {
  const found = complianceQuestions().filter(({ title }) => words.test(title));
  if (found[0] === undefined || found.length > 1) throw new Error(`the README has ${found.length} questions ${words}`);
  return found[0];
}

/** How a query goes through the mapping: one word per visit, e.g. `SEARCH (patch_id)`. Indexes are told by their columns. */
function visits(sql: string): readonly string[] {
  return ask((db) =>
    db
      .prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .filter(({ detail }) => detail.split(' ')[1] === MAPPING)
      .map(({ detail }) => {
        const [, manner = '', covering = '', index] =
          /^(SCAN|SEARCH) \w+(?: USING (COVERING )?INDEX (\w+))?/.exec(detail) ?? [];
        if (index === undefined) return `${manner} of the whole table`;
        const columns = db.pragma(`index_info(${index})`) as { name: string }[];
        return `${manner} ${covering}(${columns.map(({ name }) => name).join(', ')})`;
      }),
  );
}

interface Plan {
  readonly words: RegExp;
  readonly fresh: string;
  /** Once the column `_sdc_deleted_at` is there the table must be looked at, too. */
  readonly marked: string;
}

const PLANS: readonly Plan[] = [
  {
    words: /have an answer/,
    fresh: 'SCAN COVERING (resource_id, patch_id)',
    marked: 'SCAN (resource_id, patch_id)',
  },
  {
    words: /have none/,
    fresh: 'SEARCH COVERING (resource_id, patch_id)',
    marked: 'SEARCH (resource_id, patch_id)',
  },
  { words: /lack patch/, fresh: 'SEARCH (patch_id)', marked: 'SEARCH (patch_id)' },
  { words: /bulletins rolled out/, fresh: 'SEARCH (bulletinid)', marked: 'SEARCH (bulletinid)' },
  {
    words: /critical patches missing/,
    fresh: 'SEARCH (severity, patch_status)',
    marked: 'SEARCH (severity, patch_status)',
  },
  {
    words: /What does system/,
    fresh: 'SEARCH (resource_id, patch_id)',
    marked: 'SEARCH (resource_id, patch_id)',
  },
];

beforeAll(async () => {
  shop = await openWorkshop({ profile: 'small', tap: { pages_per_run: 0 } });
  await load(FIRST);
});
afterAll(() => shop.close());

describe('while no row has left', () => {
  test('the tables have no column for it', () => {
    expect(shop.query(`SELECT name FROM pragma_table_info('${MAPPING}') WHERE name = '_sdc_deleted_at'`)).toEqual([]);
  });

  test.each(PLANS)('the question $words uses an index', ({ words, fresh }) => {
    expect(visits(asked(words).sql)).toEqual([fresh]);
  });

  test('the bare count of systems reads an index alone', () => {
    expect(visits(`SELECT count(DISTINCT resource_id) FROM ${MAPPING}`)).toEqual([
      'SCAN COVERING (resource_id, patch_id)',
    ]);
  });

  test('the systems with an answer are those that the server lists with patches', async () => {
    const [{ systems } = { systems: undefined }] = ask((db) =>
      db.prepare<[], { systems: number }>(asked(/have an answer/).sql).all(),
    );
    expect(shop.query('SELECT count(*) AS systems FROM dcapi_systems WHERE patch_count > 0')).toEqual([{ systems }]);
  });
});

describe('when 40 of the systems have left, and patches of others', () => {
  let before: ReturnType<typeof answers>;
  const fresh = () => join(shop.folder, 'fresh.db');

  beforeAll(async () => {
    before = answers();
    await shop.control('shrink', { count: 40 });
    await shop.control('shrink', { count: 500, list: 'pairs' });
    await load(FIRST + 1);
    await load(FIRST + 1, fresh());
  });

  test('their rows are marked and still there', () => {
    const [counts] = shop.query(`SELECT count(*) AS rows, count(_sdc_deleted_at) AS gone FROM ${MAPPING}`);
    expect(Number(counts?.gone)).toBeGreaterThan(0);
    expect(Number(counts?.rows)).toBe(
      Number(counts?.gone) + Number(ask((db) => db.prepare(`SELECT count(*) FROM ${MAPPING}`).pluck().get(), fresh())),
    );
  });

  test.each(complianceQuestions().map(({ title }) => [title]))('%s: as if they had never been there', (title) => {
    expect(answers()[title]).toEqual(answers(fresh())[title]);
  });

  test('the answers are others than before', () => {
    for (const words of [/have an answer/, /critical patches missing/])
      expect(answers()[asked(words).title]).not.toEqual(before[asked(words).title]);
  });

  test.each(PLANS)('the question $words still uses an index', ({ words, marked }) => {
    expect(visits(asked(words).sql)).toEqual([marked]);
  });
});
