import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Figure, keep, lineOf, median, peak, ratio, rounded, verdict } from '../../bench/report.ts';
import { hasGnuTime, interleave, runToEnd, trial } from '../../bench/trial.ts';

const folder = mkdtempSync(join(tmpdir(), 'tapworks-harness-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = (source: string) => ({ args: ['-e', source] });
/** Takes about 150 MB and touches every page of it, then waits long enough to be looked at. */
const HUNGRY = 'const b = Buffer.alloc(150e6, 1); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);';

describe('a trial', () => {
  test('tells the exit code, what was printed and how long it took', async () => {
    const ending = await runToEnd(script('process.stdout.write("out"); process.exitCode = 3'), true);
    expect(ending).toMatchObject({ exitCode: 3, stdout: 'out' });
    expect(ending.seconds).toBeGreaterThan(0);
  });

  test('tells the end of a killed process as a shell does', async () => {
    expect((await runToEnd(script('process.kill(process.pid, "SIGKILL")'))).exitCode).toBe(137);
  });

  test('that fails is no trial, unless its exit code counts as done', async () => {
    const failing = script('process.stderr.write("no such table"); process.exitCode = 2');
    await expect(trial(failing)).rejects.toThrow(/ended with 2: no such table/);
    await expect(trial({ ...failing, exits: [0, 2] })).resolves.toBeDefined();
  });

  test('of a program that is not there says so', async () => {
    await expect(trial({ program: 'no-such-program', args: [] })).rejects.toThrow(/no-such-program/);
  });

  const meters = hasGnuTime ? (['time', 'proc'] as const) : (['proc'] as const);
  describe.runIf(process.platform === 'linux').each(meters)('measured by %s', (meter) => {
    test.each([
      ['ended', HUNGRY],
      ['was killed', `${HUNGRY} process.kill(process.pid, "SIGKILL")`],
    ])('has the peak memory of a process that %s', async (_how, source) => {
      const megabytes = ((await runToEnd({ ...script(source), meter })).peak ?? 0) / 1e6;
      expect(megabytes).toBeGreaterThan(150);
      expect(megabytes).toBeLessThan(300);
    });

    test('does not count the memory of the process that starts it', async () => {
      const ours = Buffer.alloc(300e6, 1);
      const { peak: bytes = 0 } = await runToEnd({ program: 'sleep', args: ['0.05'], meter });
      expect(bytes / 1e6).toBeLessThan(20);
      expect(ours.length).toBe(300e6);
    });
  });

  test('of one side follows a trial of the other', async () => {
    const order: string[] = [];
    const side = (name: string) => () => {
      order.push(name);
      return script('0');
    };
    const trials = await interleave({ a: side('a'), b: side('b'), left: undefined }, 2);
    expect(order).toEqual(['a', 'b', 'a', 'b']);
    expect([trials.a.length, trials.b.length, trials.left.length]).toEqual([2, 2, 0]);
  });
});

describe('a report', () => {
  test('has medians', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(() => median([])).toThrow();
  });

  test('has ratios of medians with the range of the rounds', () => {
    expect(ratio([2, 4, 6], [1, 4, 2])).toEqual({ value: 2, spread: [1, 3] });
    expect(() => ratio([1], [1, 2])).toThrow();
  });

  test('judges figures by their budgets', () => {
    const judged = (value: number, limit: number, keep: 'at most' | 'below' | 'at least') =>
      verdict({ what: '', unit: '', value, budget: { limit, keep } });
    expect([judged(2, 2, 'at most'), judged(2.01, 2, 'at most')]).toEqual(['within', 'over']);
    expect([judged(99.9, 100, 'below'), judged(100, 100, 'below')]).toEqual(['within', 'over']);
    expect([judged(0.6, 0.6, 'at least'), judged(0.59, 0.6, 'at least')]).toEqual(['within', 'over']);
    expect(verdict({ what: '', unit: '', value: 1 })).toBeUndefined();
  });

  test('takes the worst trial for peak memory and says nothing where the system does not', () => {
    const one = { seconds: 1, cpu: 1, stdout: '' };
    const trials = [
      { ...one, peak: 80e6 },
      { ...one, peak: 120e6 },
    ];
    expect(peak('tap', trials, 100)).toMatchObject([{ value: 120, spread: [80, 120] }]);
    expect(peak('tap', [{ ...one, peak: undefined }], 100)).toEqual([]);
  });

  const figure: Figure = {
    what: 'ours / baseline',
    value: 1.6234,
    unit: '×',
    spread: [1.5, 1.75],
    budget: { limit: 2, keep: 'at most' },
  };

  test('has one line per figure', () => {
    expect(lineOf(figure)).toBe('ours / baseline  1.62 × (1.5–1.75), budget at most 2: within');
    expect(lineOf({ what: 'rate', value: 54_321.4, unit: 'rows/s', note: 'warm' })).toBe('rate  54,321 rows/s [warm]');
    expect([rounded(0.01234), rounded(7), rounded(99.96)]).toEqual(['0.0123', '7', '100']);
  });

  test('is kept as a file per day and bench and as a line of the table, without naming the machine', () => {
    const bench = { name: 'trivial', question: 'how long?' };
    keep(folder, bench, [{ ...figure, value: 9 }], '2026-01-14');
    keep(folder, bench, [{ ...figure, value: 3 }], '2026-01-15');
    keep(folder, bench, [figure], '2026-01-15');
    keep(folder, { ...bench, name: 'other' }, [figure], '2026-01-15');
    expect(readdirSync(folder).sort()).toEqual([
      '2026-01-14-trivial.json',
      '2026-01-15-other.json',
      '2026-01-15-trivial.json',
      'README.md',
    ]);
    const rows = readFileSync(join(folder, 'README.md'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| 2026'));
    expect(rows).toEqual([
      expect.stringMatching(/^\| 2026-01-14 \| trivial \| \d+ cores, \d+ GiB, Node [\d.]+ \| .* 9 × .*: over \|$/),
      expect.stringMatching(/^\| 2026-01-15 \| trivial \| .* 1\.62 × .*: within \|$/),
      expect.stringMatching(/^\| 2026-01-15 \| other \| /),
    ]);
    const result = JSON.parse(readFileSync(join(folder, '2026-01-15-trivial.json'), 'utf8'));
    expect(result).toMatchObject({ bench: 'trivial', figures: [{ value: 1.6234, verdict: 'within' }] });
    expect(Object.keys(result.machine)).toEqual(['cores', 'memory_gib', 'node', 'system', 'load']);
  });
});

describe('the command', () => {
  const bench = (...args: string[]) =>
    spawnSync(process.execPath, ['bench/run.ts', '--results', folder, ...args], { encoding: 'utf8' });

  test('refuses a bench it does not have and names those it has', () => {
    const { status, stderr } = bench('tap-pnp');
    expect(status).toBe(1);
    expect(stderr).toContain('no bench tap-pnp; there are start-up, tap-pmp,');
  });

  test.each(['0', 'many'])('refuses %s rounds', (rounds) => {
    expect(bench('start-up', '--rounds', rounds).status).toBe(1);
  });
});
