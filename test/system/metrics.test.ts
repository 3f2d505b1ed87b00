/** The files that executables write with --metrics-file: Prometheus reads them, and they hold what the alerts ask for. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { read } from '../docs/documents.ts';
import { openWorkshop, type Workshop } from '../pipe/workshop.ts';
import { run } from './tools.ts';

const NAMES = ['tap-pmp', 'target-sqlite'] as const;

let shop: Workshop;
let files: Readonly<Record<(typeof NAMES)[number], string>>;

beforeAll(async () => {
  shop = await openWorkshop({
    profile: 'small',
    tap: { backoff_ms: 1, coverage_target: 0.5, checkpoint_pages: 2 },
  });
  // A run with something of everything: a page that is lost, one that recovers, a token that dies.
  const match = { path: '/scandetails$' };
  await shop.control('faults', { id: 'lost', match: { ...match, pages: [4, 4] }, action: 'error500' });
  await shop.control('faults', { id: 'late', match: { ...match, pages: [2, 2] }, times: 1, action: 'burst503' });
  await shop.control('faults', { id: 'token', match: { ...match, pages: [3, 3] }, times: 1, action: 'expireToken' });
  const [tap, target] = NAMES.map((name) => join(shop.folder, `${name}.prom`)) as [string, string];
  await shop.run({
    tap: { name: 'tap-pmp', args: ['--config', shop.tapConfig, '--metrics-file', tap] },
    target: { name: 'target-sqlite', args: ['--config', shop.targetConfig, '--metrics-file', target] },
  });
  files = { 'tap-pmp': await readFile(tap, 'utf8'), 'target-sqlite': await readFile(target, 'utf8') };
});
afterAll(() => shop.close());

/** Series of a file, each `name{labels}`. */
function seriesOf(text: string): readonly string[] {
  return [...text.matchAll(/^(\w+(?:\{.*\})?) \S+$/gm)].map(([, series = '']) => series);
}

test.each(NAMES)('what %s writes has nothing that promtool complains about', (name) => {
  const { status, output } = run('promtool', ['check', 'metrics'], shop.folder, files[name]);
  expect(output).toBe('');
  expect(status).toBe(0);
  expect(seriesOf(files[name]).length).toBeGreaterThan(5);
});

test.each(NAMES)('every series tells that %s wrote it', (name) => {
  // Rows need no name: a tap reads them, a target writes them.
  const named = seriesOf(files[name]).filter((series) => !series.startsWith('tapworks_rows_total{'));
  expect(named.filter((series) => !series.includes(`program="${name}"`))).toEqual([]);
});

test('both files fit into one folder: node_exporter keeps only one of two equal series', () => {
  const target = new Set(seriesOf(files['target-sqlite']));
  expect(seriesOf(files['tap-pmp']).filter((series) => target.has(series))).toEqual([]);
});

test('tap-pmp writes every metric that an alert asks for', () => {
  const rules = read('docs/alerts/tapworks.rules.yml').replaceAll(/^ *#.*$/gm, '');
  const asked = [...new Set(rules.match(/\btapworks_\w+/g))];
  expect(asked.length).toBeGreaterThan(5);
  const written = new Set(seriesOf(files['tap-pmp']).map((series) => series.split('{')[0]));
  expect(asked.filter((name) => !written.has(name))).toEqual([]);
});

test('tap-pmp writes every label value that an alert picks', () => {
  const picked = ['error_type="401_unauthorized"', 'outcome="lost"', 'status="partial"', 'status="failed"'];
  expect(picked.filter((label) => !files['tap-pmp'].includes(label))).toEqual([]);
});

test('a page counts once, by how it ended', () => {
  const count = (outcome: string) =>
    Number(
      new RegExp(`^tapworks_pages_total\\{stream="systems",outcome="${outcome}".*\\} (\\d+)$`, 'm').exec(
        files['tap-pmp'],
      )?.[1],
    );
  // Seven pages, two of them at the second attempt; the fourth is asked for again at the end.
  expect({ read: count('read'), lost: count('lost') }).toEqual({ read: 6, lost: 1 });
});
