/**
 * `npm run bench [-- NAME … --long --rounds N]`: runs the benches of this folder and keeps what they measured.
 * A figure over its budget is reported and changes nothing; the exit code is 1 only when a bench could not run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bench as body } from './body.ts';
import { bench as complianceQueries } from './compliance-queries.ts';
import { bench as keySet } from './key-set.ts';
import { bench as lossless } from './lossless.ts';
import { bench as pagingLarge } from './paging-large.ts';
import { type Bench, keep, lineOf, machine, type Setting } from './report.ts';
import { bench as servicedeskPipe } from './servicedesk-pipe.ts';
import { bench as startUp } from './start-up.ts';
import { bench as tapDcapi } from './tap-dcapi.ts';
import { bench as tapPmp } from './tap-pmp.ts';
import { bench as tapPmpLatency } from './tap-pmp-latency.ts';
import { bench as tapServicedeskSqlite } from './tap-servicedesk-sqlite.ts';
import { bench as targetPostgres } from './target-postgres.ts';
import { bench as targetSqlite } from './target-sqlite.ts';
import { hasGnuTime, ROOT } from './trial.ts';

const BENCHES: readonly Bench[] = [
  startUp,
  tapPmp,
  tapPmpLatency,
  tapDcapi,
  tapServicedeskSqlite,
  targetSqlite,
  targetPostgres,
  servicedeskPipe,
  complianceQueries,
  lossless,
  body,
  keySet,
  pagingLarge,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    long: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    results: { type: 'string', default: join(ROOT, 'bench', 'results') },
  },
});

const say = (text: string) => process.stdout.write(`${text}\n`);

async function measure(bench: Bench, rounds: number): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'tapworks-bench-'));
  const setting: Setting = { rounds, long: values.long, folder, say: (text) => say(`  ${text}`) };
  say(`\n${bench.name}: ${bench.question}`);
  try {
    const figures = await bench.run(setting);
    for (const figure of figures) say(`  ${lineOf(figure)}`);
    if (figures.length > 0) keep(values.results, bench, figures, new Date().toISOString().slice(0, 10));
    return true;
  } catch (error) {
    say(`  could not run: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function chosen(): readonly Bench[] {
  const unknown = positionals.filter((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown.length > 0) {
    throw new Error(`no bench ${unknown.join(', ')}; there are ${BENCHES.map(({ name }) => name).join(', ')}`);
  }
  if (positionals.length > 0) return BENCHES.filter(({ name }) => positionals.includes(name));
  return BENCHES.filter(({ long }) => long !== true || values.long);
}

try {
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds must be a whole number from 1');
  const benches = chosen();
  const { cores, memory_gib: memory, node } = machine();
  const meter = hasGnuTime ? 'GNU time' : 'the high-water mark in /proc, looked at every 5 ms';
  say(`${cores} cores, ${memory} GiB, Node ${node}; ${rounds} rounds; memory by ${meter}`);
  for (const bench of benches) if (!(await measure(bench, rounds))) process.exitCode = 1;
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
