import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Metrics } from '../../singer/metrics.ts';
import { folder } from './folder.ts';

const files = folder();

/** Reads Prometheus text: every line must be a comment of the known forms or a sample. */
function samples(text: string): Record<string, number> {
  const found: Record<string, number> = {};
  expect(text.endsWith('\n')).toBe(true);
  for (const line of text.split('\n')) {
    if (line === '' || /^# (HELP|TYPE) [a-zA-Z_:][\w:]* ./.test(line)) continue;
    const match = /^([a-zA-Z_:][\w:]*(?:\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*\})?) (\S+)$/.exec(line);
    expect(match, line).not.toBeNull();
    found[match?.[1] ?? ''] = Number(match?.[2]);
  }
  return found;
}

describe('metrics', () => {
  test('are written as Prometheus text, in one step', async () => {
    const own = files.at('own');
    mkdirSync(own);
    const metrics = new Metrics();
    metrics.rows('systems', 'read', 3);
    metrics.rows('systems', 'read', 4);
    metrics.rows('odd "name"\\\n', 'rejected', 1);
    metrics.rows('systems', 'updated', 0);
    metrics.count('tapworks_requests_total', 'Requests.', {});
    metrics.gauge('tapworks_coverage', 'Coverage.', { stream: 's' }, 0.5);
    metrics.gauge('tapworks_coverage', 'Coverage.', { stream: 's' }, 0.25);
    await metrics.save(`${own}/m.prom`);
    await metrics.save(`${own}/m.prom`);
    const text = readFileSync(`${own}/m.prom`, 'utf8');
    expect(samples(text)).toEqual({
      'tapworks_rows_total{stream="systems",outcome="read"}': 7,
      'tapworks_rows_total{stream="odd \\"name\\"\\\\\\n",outcome="rejected"}': 1,
      tapworks_requests_total: 1,
      'tapworks_coverage{stream="s"}': 0.25,
    });
    expect(text).toContain('# TYPE tapworks_rows_total counter');
    expect(text).toContain('# TYPE tapworks_coverage gauge');
    expect(readdirSync(own)).toEqual(['m.prom']);
  });

  test('have a present value, whatever the order of labels', () => {
    const metrics = new Metrics();
    metrics.count('c', 'C.', { a: '1', b: '2' }, 2);
    metrics.count('c', 'C.', { b: '2', a: '1' });
    expect(metrics.value('c', { a: '1', b: '2' })).toBe(3);
    expect(metrics.value('c', {})).toBe(0);
    expect(metrics.value('never', {})).toBe(0);
  });
});
