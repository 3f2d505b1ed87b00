/** Whatever order rows and states come in, tables equal a map, and a state is never ahead of its rows. */
import { env } from 'node:process';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Cases } from '../target.ts';
import { HOSTILE, lines } from './load.ts';

const STREAMS = ['red', 'green', 'blue'];

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      stream: fc.constantFrom(...STREAMS),
      id: fc.integer({ min: 0, max: 5 }),
      value: fc.option(fc.string({ unit: 'grapheme', maxLength: 5 })),
    }),
  },
  { weight: 1, arbitrary: fc.constant('state' as const) },
  { weight: 1, arbitrary: fc.constant('wait' as const) },
);

const schema = (stream: string) => ({
  type: 'SCHEMA',
  stream,
  key_properties: ['id'],
  schema: { properties: { id: { type: 'integer' }, value: { type: ['null', 'string'] }, seq: { type: 'integer' } } },
});

export const randomCases: Cases = {
  'tables equal a map, and states are covered by committed rows': async ({ fresh }) => {
    const run = async (steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[], batch: number) => {
      const { begin, destination } = await fresh();
      const loading = await begin({ settings: { batch_rows: batch } });
      const model = new Map(
        STREAMS.map((stream) => [stream, new Map<string, { value: string | null; seq: string }>()]),
      );
      const highest = async () => {
        const rows = await Promise.all(STREAMS.map((stream) => destination.rows(stream)));
        return Math.max(0, ...rows.flat().map(({ seq }) => Number(seq)));
      };
      loading.send(lines(...STREAMS.map(schema)));
      let seq = 0;
      for (const action of steps) {
        if (action === 'wait') {
          await loading.stdin.idle();
          const confirmed = Number((JSON.parse(loading.stdout.lines.at(-1) ?? '{"seq":0}') as { seq: number }).seq);
          expect(await highest()).toBeGreaterThanOrEqual(confirmed);
        } else if (action === 'state') {
          loading.send(lines({ type: 'STATE', value: { seq } }));
        } else {
          seq += 1;
          const { stream, id, value } = action;
          model.get(stream)?.set(String(id), { value, seq: String(seq) });
          loading.send(lines({ type: 'RECORD', stream, record: { id, value, seq } }));
        }
      }
      const { code, states } = await loading.finish();
      expect(code).toBe(0);
      expect(await highest()).toBeGreaterThanOrEqual(Number(JSON.parse(states.at(-1) ?? '{"seq":0}').seq));
      const lastState = steps.lastIndexOf('state');
      const before = steps.slice(0, lastState).filter((action) => typeof action === 'object').length;
      expect(states.at(-1)).toBe(lastState === -1 ? undefined : `{"seq":${before}}`);
      for (const [stream, rows] of model) {
        const stored = (await destination.rows(stream)).map(
          ({ id, value, seq: at }) => [id, { value, seq: at }] as const,
        );
        expect(stored).toHaveLength(rows.size);
        expect(new Map(stored)).toEqual(rows);
      }
    };
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 8 }), run), {
      numRuns: env.TAPWORKS_SOAK === '1' ? 500 : HOSTILE ? 10 : 40,
    });
  },
};
