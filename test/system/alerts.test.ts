/** The alert rules that are shipped: Prometheus accepts them, they fire when they should, and each is explained. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { anchorsOf, type Document, firstColumn, ROOT, read } from '../docs/documents.ts';
import { run } from './tools.ts';

const FOLDER = join(ROOT, 'docs/alerts');
const [rules, cases, page] = ['tapworks.rules.yml', 'tapworks.rules.test.yml', 'README.md'].map(
  (name): Document => ({ path: `docs/alerts/${name}`, text: read(`docs/alerts/${name}`) }),
) as [Document, Document, Document];

const names = [...rules.text.matchAll(/^ +- alert: (\w+)$/gm)].map(([, name = '']) => name);

test('Prometheus accepts the rules', () => {
  const { status, output } = run('promtool', ['check', 'rules', 'tapworks.rules.yml'], FOLDER);
  expect(status, output).toBe(0);
  expect(output).toContain(`${names.length} rules found`);
});

test('they fire when they should and only then', () => {
  const { status, output } = run('promtool', ['test', 'rules', 'tapworks.rules.test.yml'], FOLDER);
  expect(status, output).toBe(0);
});

/** Whether the test file expects the alert to fire, and to stay silent, at one time at least. */
function expected(alert: string): { readonly fires: boolean; readonly silent: boolean } {
  const found = [...cases.text.matchAll(/alertname: (\w+)\n +exp_alerts:(.*)\n/g)].filter(([, name]) => name === alert);
  return { fires: found.some(([, , rest]) => rest === ''), silent: found.some(([, , rest]) => rest === ' []') };
}

test.each(names)('%s is tried firing and silent, and explained', (alert) => {
  expect(expected(alert)).toEqual({ fires: true, silent: true });
  expect(rules.text).toContain(`runbook: docs/alerts/README.md#${alert.toLowerCase()}\n`);
  expect(anchorsOf(page)).toContain(alert.toLowerCase());
});

test('the page lists no other', () => {
  expect([...firstColumn(page, ['Alert'])].sort()).toEqual([...names].sort());
});
