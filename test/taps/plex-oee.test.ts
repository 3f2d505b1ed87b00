import fc from 'fast-check';
import { expect, test } from 'vitest';
import { oeeOf } from '../../taps/plex/oee.ts';

const RUN = {
  Planned_Production_Time: 480,
  Downtime_DB: 48,
  Production_Qty: 648,
  Reject_Qty: 10,
  Scrap_Qty: 22.4,
  Standard_Production_Rate: 100,
};

test('the formula: run time by plan, quantity by what was possible, good by all', () => {
  const oee = oeeOf([RUN], 'minutes');
  expect(oee.availability).toBeCloseTo(432 / 480, 12);
  // 100 an hour for 7.2 hours.
  expect(oee.performance).toBeCloseTo(648 / 720, 12);
  expect(oee.quality).toBeCloseTo(615.6 / 648, 12);
  expect(oee.oee).toBeCloseTo(0.9 * 0.9 * 0.95, 12);
  expect(oee.outOfRange).toBe(false);
});

test('hours are minutes times 60', () => {
  const hours = { ...RUN, Planned_Production_Time: 8, Downtime_DB: 0.8 };
  expect(oeeOf([hours], 'hours')).toEqual(oeeOf([RUN], 'minutes'));
});

test('rows of one workcenter are summed, rates weighted by run time', () => {
  const other = {
    ...RUN,
    Planned_Production_Time: 120,
    Downtime_DB: 0,
    Production_Qty: 60,
    Standard_Production_Rate: 30,
  };
  const oee = oeeOf([RUN, other], 'minutes');
  expect(oee.availability).toBeCloseTo(552 / 600, 12);
  expect(oee.possibleQuantity).toBeCloseTo(720 + 60, 12);
  expect(oee.performance).toBeCloseTo(708 / 780, 12);
});

test.each([
  ['no plan', { Planned_Production_Time: 0, Downtime_DB: 0 }, 'availability'],
  ['no production', { Production_Qty: 0 }, 'quality'],
  ['no rate', { Standard_Production_Rate: 0 }, 'performance'],
  ['an unknown rate', { Standard_Production_Rate: null }, 'performance'],
  ['nothing but downtime', { Downtime_DB: 480 }, 'performance'],
] as const)('%s: nothing is divided by 0', (_what, change, factor) => {
  const oee = oeeOf([{ ...RUN, ...change }], 'minutes');
  expect(oee[factor]).toBeNull();
  expect(oee.oee).toBeNull();
});

test.each([
  ['more downtime than plan', { Downtime_DB: 600 }],
  ['more scrap than production', { Scrap_Qty: 700 }],
  ['a negative time', { Downtime_DB: -5 }],
])('%s is flagged and not clamped', (_what, change) => {
  expect(oeeOf([{ ...RUN, ...change }], 'minutes').outOfRange).toBe(true);
});

test('more than was possible is a signal of wrong rates, and stays', () => {
  const oee = oeeOf([{ ...RUN, Production_Qty: 1440 }], 'minutes');
  expect(oee.performance).toBeCloseTo(2, 12);
  expect(oee.outOfRange).toBe(false);
});

test('whatever the columns hold, every factor is a finite number or null', () => {
  const cell = fc.oneof(fc.double(), fc.constant(null), fc.constant('n/a'), fc.constant(0));
  const row = fc.record(Object.fromEntries(Object.keys(RUN).map((name) => [name, cell])));
  fc.assert(
    fc.property(fc.array(row, { maxLength: 4 }), (rows) => {
      const { availability, performance, quality, oee } = oeeOf(rows as never, 'minutes');
      for (const factor of [availability, performance, quality, oee])
        expect(factor === null || Number.isFinite(factor)).toBe(true);
    }),
  );
});
