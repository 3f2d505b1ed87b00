/** Runs one part of a bench in this process and prints what it measured as one JSON line: `part.ts BENCH PART [ARG …]`. */
import type { Bench } from './report.ts';

const [name = '', partName = '', ...args] = process.argv.slice(2);
// Only the bench that is asked for: what the others load would be measured as memory.
const { bench } = (await import(`./${name}.ts`)) as { readonly bench: Bench };
const work = bench.parts?.[partName];
if (work === undefined) throw new Error(`no part "${partName}" of the bench ${name}`);
process.stdout.write(`${JSON.stringify((await work(...args)) ?? null)}\n`);
