/**
 * Questions in SQL that documents ask and answer. Each is a block of SQL whose first line is the question as a comment;
 * behind it its answer stands between `<!-- answer -->` and `<!-- end -->`, as a table.
 */
import type { Database } from 'better-sqlite3';
import { DOCUMENTS, type Document } from './documents.ts';

const ASKED = /```sql\n-- ([^\n]+)\n([^`]*)```\n\n(<!-- answer -->\n)([\s\S]*?)<!-- end -->/g;

export interface Question {
  /** Words of the comment. */
  readonly title: string;
  readonly sql: string;
}

export function questionsOf({ text }: Document): readonly Question[] {
  return [...text.matchAll(ASKED)].map(([, title = '', sql = '']) => ({ title, sql }));
}

/** Those of the README: what a compliance officer asks. */
export function complianceQuestions(): readonly Question[] {
  return DOCUMENTS.filter(({ path }) => path === 'README.md').flatMap(questionsOf);
}

/** The text with the answers that this database gives. */
export function answered({ text }: Document, db: Database): string {
  return text.replaceAll(ASKED, (whole, _title, sql: string, start: string) => {
    const before = whole.slice(0, whole.indexOf(start));
    return `${before}${start}\n${answerTable(db, sql)}\n\n<!-- end -->`;
  });
}

/** Columns and rows of an answer as a Markdown table; null is an empty cell. */
function answerTable(db: Database, sql: string): string {
  const statement = db.prepare<[], readonly unknown[]>(sql).raw();
  const row = (cells: readonly unknown[]) =>
    `| ${cells.map((cell) => String(cell ?? '').replaceAll('|', '\\|')).join(' | ')} |`;
  const names = statement.columns().map(({ name }) => name);
  return [row(names), row(names.map(() => '---')), ...statement.all().map(row)].join('\n');
}
