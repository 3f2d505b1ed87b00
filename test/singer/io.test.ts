import { describe, expect, test } from 'vitest';
import { ConnectorError, systemCode, textOf } from '../../singer/errors.ts';
import { Stop, stopOf, systemClock, timestamp } from '../../singer/io.ts';

describe('TAPWORKS_NOW', () => {
  test.each([
    ['2026-01-31T06:00:00Z', '2026-01-31T06:00:00.000Z'],
    ['2026-01-31t06:00:00z', '2026-01-31T06:00:00.000Z'],
    ['2026-01-31 06:00:00.5+01:00', '2026-01-31T05:00:00.500Z'],
    ['2026-01-31T06:00-05:30', '2026-01-31T11:30:00.000Z'],
    ['2026-01-31T06:00:00', '2026-01-31T06:00:00.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ])('%s is the instant at which the process started; time runs on', (text, start) => {
    const clock = systemClock(text);
    const early = performance.now();
    const now = clock.now();
    const late = performance.now();
    // Whole milliseconds on both clocks.
    expect(now).toBeGreaterThanOrEqual(Date.parse(start) + early - 2);
    expect(now).toBeLessThanOrEqual(Date.parse(start) + late + 2);
    expect(Number.isInteger(now)).toBe(true);
  });

  test.each([
    'yesterday',
    '2026-01-31',
    '06:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '2026-01-31T25:00:00Z',
    '2026-01-31T06:00:00Z (really)',
    '1769839200',
    'January 31, 2026 06:00:00',
  ])('%s is refused in one line', (text) => {
    let error: unknown;
    try {
      systemClock(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ConnectorError);
    expect((error as ConnectorError).line).toBe(
      `TAPWORKS_NOW is "${text}", which is not a date and time — write it as 2026-01-31T06:00:00Z, or unset it`,
    );
  });

  test.each([undefined, ''])('%j means the clock of the machine', (text) => {
    const before = Date.now();
    const now = systemClock(text).now();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });
});

describe('sleep', () => {
  const clock = systemClock();

  test('ends', async () => {
    await expect(clock.sleep(0)).resolves.toBeUndefined();
    await expect(clock.sleep(-5, new AbortController().signal)).resolves.toBeUndefined();
  });

  test('is ended by the signal with its reason', async () => {
    const controller = new AbortController();
    const sleep = clock.sleep(600_000, controller.signal);
    controller.abort(new Stop('SIGTERM'));
    await expect(sleep).rejects.toThrow('stopped by SIGTERM');
    await expect(clock.sleep(600_000, controller.signal)).rejects.toThrow('stopped by SIGTERM');
  });

  test('longer than a timer of Node can be does not end at once', async () => {
    const controller = new AbortController();
    const sleep = clock.sleep(2 ** 40, controller.signal);
    const winner = await Promise.race([sleep.then(() => 'slept'), clock.sleep(20).then(() => 'waiting')]);
    expect(winner).toBe('waiting');
    controller.abort(new Error('enough'));
    await expect(sleep).rejects.toThrow('enough');
  });

  test('chance is below one', () => {
    expect(clock.random()).toBeLessThan(1);
  });
});

test('a stop is recognised, also as a cause', () => {
  const stop = new Stop('SIGINT');
  expect(stop.exitCode).toBe(130);
  expect(stopOf(stop)).toBe(stop);
  expect(stopOf(new Error('wrapped', { cause: stop }))).toBe(stop);
  expect(stopOf(new Error('other'))).toBeUndefined();
  expect(stopOf('SIGINT')).toBeUndefined();
});

test('times are RFC 3339', () => {
  expect(timestamp(1769839200000)).toBe('2026-01-31T06:00:00Z');
  expect(timestamp(1769839200123)).toBe('2026-01-31T06:00:00.123Z');
});

test('anything thrown has a text on one line', () => {
  expect(textOf(new ConnectorError('config', 'what', {}, { hint: 'do\n  this' }))).toBe('what — do this');
  expect(textOf(new Error('a \n\n b'))).toBe('a b');
  expect(textOf('plain')).toBe('plain');
});

test('codes of the system', () => {
  expect(systemCode(Object.assign(new Error(), { code: 'ENOENT' }))).toBe('ENOENT');
  for (const other of [null, 'x', {}, { code: 5 }]) expect(systemCode(other)).toBeUndefined();
});
