/**
 * What it costs on ordinary lines to look for numbers that a double cannot hold. Baseline: JSON.parse of the same lines.
 * Both sides parse all lines once before the clock starts, so that neither pays for compilation.
 *
 * 2026-11-21, 2 cores shared with other work (load 3 to 6), Node 26.10, medians of 5, 165,850 lines of 384 bytes: 0.32 s against
 * 0.19 s, 1.67 ×. The check loses most on short lines of many short values, such as these.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAPPINGS, writeMappings } from './mappings.ts';
import { type Bench, compared, type Figure, middle } from './report.ts';
import { stopwatch } from './stopwatch.ts';
import { interleave, part } from './trial.ts';

const PASSES = 3;

function timed(file: string, parse: (text: string) => unknown): number {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  for (const line of lines) parse(line);
  const taken = stopwatch();
  for (let pass = 0; pass < PASSES; pass += 1) for (const line of lines) parse(line);
  return taken() / PASSES;
}

export const bench: Bench = {
  name: 'lossless',
  question: 'what does the lossless check cost on lines without long numbers?',
  async run({ folder, rounds }): Promise<readonly Figure[]> {
    const file = join(folder, 'messages.jsonl');
    writeMappings(MAPPINGS, file);
    const trials = await interleave(
      { lossless: part('lossless', 'lossless', file), plain: part('lossless', 'plain', file) },
      rounds,
      true,
    );
    const [lossless, plain] = [trials.lossless, trials.plain].map((side) => side.map(({ stdout }) => Number(stdout)));
    if (lossless === undefined || plain === undefined) throw new Error('no trials');
    return [
      compared('parseLossless / JSON.parse', lossless, plain),
      middle(`JSON.parse, ${MAPPINGS} lines`, 's of processor time', plain),
      middle(`parseLossless, ${MAPPINGS} lines`, 's of processor time', lossless),
    ];
  },
  parts: {
    plain: (file = '') => timed(file, (text) => JSON.parse(text)),
    lossless: async (file = '') => timed(file, (await import('../singer/lossless.ts')).parseLossless),
  },
};
