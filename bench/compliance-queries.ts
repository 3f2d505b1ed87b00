/**
 * How long the compliance questions of the README take on 165,850 mappings of 3,317 systems, loaded by tap-dcapi and
 * tap-pmp through target-sqlite. Each trial is a process of its own that opens the database, asks once and fetches all
 * rows; starting the process is not counted. Once more after rows have left: then some carry marks, and the count can no
 * longer be read from an index alone.
 *
 * 2026-11-21, 2 cores shared with other work, Node 26.10, SQLite 3.54, medians of 5: what one patch, bulletin or system is
 * about takes 1 to 3 ms, systems without an answer 9 ms, the count 21 ms, branch offices 74 ms. Loses: with 5,000 rows
 * marked the count takes 127 ms, six times as long, because each row must be looked at.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { runPipe } from '../runner/pipe.ts';
import { complianceQuestions } from '../test/docs/questions.ts';
import { type Bench, type Figure, middle, type Setting } from './report.ts';
import { type Simulator, startSimulator } from './simulator.ts';
import { part, trial } from './trial.ts';

const ROWS = 165_850;
/** Mappings that leave before the second part. */
const LEAVING = 5_000;

export const bench: Bench = {
  name: 'compliance-queries',
  question: `how long do the compliance questions take on ${ROWS} mappings?`,
  async run(setting): Promise<readonly Figure[]> {
    const simulator = await startSimulator();
    try {
      return await measure(setting, simulator);
    } finally {
      await simulator.close();
    }
  },
  parts: {
    ask: (database = '', index = '') => milliseconds(database, Number(index)),
  },
};

async function measure(setting: Setting, simulator: Simulator): Promise<readonly Figure[]> {
  const { folder } = setting;
  const database = join(folder, 'pmp.db');
  const target = join(folder, 'target.json');
  writeFileSync(target, JSON.stringify({ database }));
  await load(simulator, folder, target, 1);
  const rows = count(database, 'SELECT count(*) FROM patch_system_mapping');
  if (rows !== ROWS) throw new Error(`the table has ${rows} rows instead of ${ROWS}`);
  const present = await asked(setting, database, '');
  const reply = await fetch(`${simulator.url}/__sim/shrink`, {
    method: 'POST',
    body: JSON.stringify({ count: LEAVING, list: 'pairs' }),
  });
  if (!reply.ok) throw new Error(`the simulator answered ${reply.status}`);
  await load(simulator, folder, target, 2);
  const gone = count(database, 'SELECT count(_sdc_deleted_at) FROM patch_system_mapping');
  if (gone !== LEAVING) throw new Error(`${gone} rows are marked instead of ${LEAVING}`);
  return [...present, ...(await asked(setting, database, `, ${LEAVING} rows marked as gone`))];
}

/** One figure per question. */
async function asked({ rounds }: Setting, database: string, state: string): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const [index, { title }] of complianceQuestions().entries()) {
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const { stdout } = await trial(part(bench.name, 'ask', database, index), true);
      times.push(JSON.parse(stdout) as number);
    }
    figures.push(middle(`${title.replace(/\?.*/, '')}${state}`, 'ms', times));
  }
  return figures;
}

/** @throws Error when a question finds nothing: then its time says nothing. */
function milliseconds(database: string, index: number): number {
  const question = complianceQuestions()[index];
  if (question === undefined) throw new Error(`the README has no question ${index}`);
  const db = new Sqlite(database, { readonly: true });
  const from = performance.now();
  const found = db.prepare(question.sql).all().length;
  const to = performance.now();
  db.close();
  if (found === 0) throw new Error(`"${question.title}" finds no row`);
  return to - from;
}

function count(database: string, sql: string): number {
  const db = new Sqlite(database, { readonly: true });
  try {
    return db.prepare<[], number>(sql).pluck().get() ?? 0;
  } finally {
    db.close();
  }
}

/** Both taps into one database, as one snapshot. */
async function load(simulator: Simulator, folder: string, target: string, snapshot: number): Promise<void> {
  const streams = { 'tap-dcapi': ['dcapi_systems', 'patch_system_mapping'], 'tap-pmp': ['systems'] };
  for (const [name, selected] of Object.entries(streams)) {
    const config = simulator.config(join(folder, `${name}.json`), {
      streams: selected,
      page_delay_ms: 0,
      pages_per_run: 0,
      snapshot_id: snapshot,
    });
    const said: string[] = [];
    const { exitCode } = await runPipe({
      tap: { name, args: ['--config', config] },
      target: { name: 'target-sqlite', args: ['--config', target] },
      stderr: (_side, line) => said.push(line),
    });
    if (exitCode !== 0) throw new Error(`the pipe of ${name} ended with ${exitCode}: ${said.slice(-2).join(' ')}`);
  }
}
