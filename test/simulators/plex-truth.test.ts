/** Changes by hand, and the truth that tables are compared with. */
import { describe, expect, test } from 'vitest';
import { DAY_BEFORE, execute, get, type Json, MINUTE, PATHS, plex, rowsOf, sim, truth } from './plex-client.ts';

describe('mutate', () => {
  const change = (server: Awaited<ReturnType<typeof plex>>, stream: string, key: unknown, patch: Json | null) =>
    sim(server, 'mutate', 'POST', { stream, key, patch });

  test('a part changes, and so does its date', async () => {
    const server = await plex();
    const [part] = await rowsOf(server, PATHS.parts);
    server.clock.advance(MINUTE);
    const changed = { ...part, name: 'Neu', modifiedDate: '2026-03-14T06:01:00.0000000Z' };
    expect((await change(server, 'parts', part?.id, { name: 'Neu' })).json()).toEqual({ row: changed });
    expect((await rowsOf(server, PATHS.parts))[0]).toEqual(changed);
    expect((await get(server, `${PATHS.parts}/${part?.id}`)).json()).toEqual(changed);
    expect((await truth(server, 'parts'))[0]?.fields).toEqual(changed);
    await change(server, 'parts', String(part?.id).toUpperCase(), { modifiedDate: '2026-01-01T00:00:00Z' });
    expect((await rowsOf(server, PATHS.parts))[0]).toEqual({ ...changed, modifiedDate: '2026-01-01T00:00:00Z' });
  });

  test('a line of a bill of materials changes while its part stays; an operation of a job', async () => {
    const server = await plex();
    const [part] = await rowsOf(server, PATHS.parts);
    const [line] = await rowsOf(server, `${PATHS.boms}?partId=${part?.id}`);
    await change(server, 'boms', line?.id, { quantity: 99 });
    expect((await rowsOf(server, `${PATHS.boms}?partId=${part?.id}`))[0]).toEqual({ ...line, quantity: 99 });
    expect((await rowsOf(server, PATHS.parts))[0]).toEqual(part);
    const [job] = await rowsOf(server, PATHS.jobs);
    const operations = `${PATHS.jobs}/${job?.id}/operations`;
    const [operation] = await rowsOf(server, operations);
    await change(server, 'job_operations', operation?.jobOperationId, { jobOperationStatus: 'Odd' });
    expect((await rowsOf(server, operations))[0]).toEqual({ ...operation, jobOperationStatus: 'Odd' });
  });

  test('a row is gone', async () => {
    const server = await plex();
    const [container] = await rowsOf(server, PATHS.containers);
    expect((await change(server, 'containers', container?.serialNo, null)).json()).toEqual({ row: null });
    expect(await rowsOf(server, PATHS.containers)).toHaveLength(29);
    expect((await get(server, `${PATHS.containers}/${container?.serialNo}`)).status).toBe(404);
    const [part] = await rowsOf(server, PATHS.parts);
    await change(server, 'parts', part?.id, null);
    const { streams } = (await sim(server, 'manifest')).json();
    expect(streams).toMatchObject({ containers: { rows: 29 }, parts: { rows: 11 } });
    expect((await change(server, 'parts', part?.id, { name: 'x' })).status).toBe(400);
  });

  test('an entry is corrected: its key is that of its new values', async () => {
    const server = await plex();
    const before = await truth(server, 'production_entries');
    const key = before[7]?.key._key;
    await change(server, 'production_entries', key, { quantity: 1.5 });
    const after = await truth(server, 'production_entries');
    expect(after).toHaveLength(before.length);
    expect(after[7]?.fields.quantity).toBe(1.5);
    expect(after[7]?.key._key).not.toBe(key);
    expect(after.toSpliced(7, 1)).toEqual(before.toSpliced(7, 1));
    const rows = await rowsOf(server, `${PATHS.entries}?beginDate=2026-03-07T00:00Z&endDate=2026-03-15T00:00Z`);
    expect(rows[7]?.quantity).toBe(1.5);
  });

  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [{ stream: 'nothing', key: 'x', patch: {} }, /nothing to change in "nothing"; known: .*parts/],
    [{ stream: 'parts', key: 'x', patch: {} }, /parts has no row "x"/],
    [{ stream: 'parts', key: 'x' }, /send \{/],
    [{ stream: 'parts', key: 'x', patch: {}, more: 1 }, /unknown key "more"/],
    [['parts'], /send a JSON object/],
  ];
  test.each(wrong)('%j is refused', async (body, message) => {
    const reply = await sim(await plex(), 'mutate', 'POST', body);
    expect([reply.status, reply.json().error]).toEqual([400, expect.stringMatching(message)]);
  });

  test('keys and unknown fields are refused', async () => {
    const server = await plex();
    const [part] = await rowsOf(server, PATHS.parts);
    expect((await change(server, 'parts', part?.id, { id: 'x' })).json().error).toMatch(/id of parts stays/);
    expect((await change(server, 'parts', part?.id, { partName: 'x' })).json().error).toMatch(/no field partName/);
  });
});

describe('truth', () => {
  test('rows of histories have keys, equal rows too, and no names of employees', async () => {
    const server = await plex();
    const lines = await truth(
      server,
      'production_entries',
      '?begin=2026-03-13T00:00Z&end=2026-03-13T23:59:59.9999999Z',
    );
    const rows = await rowsOf(server, `${PATHS.entries}?${DAY_BEFORE}`);
    expect(new Set(lines.map(({ key }) => key._key)).size).toBe(40);
    const nameless = rows.map(({ employeeName: _name, ...row }) => row);
    expect(lines.map(({ fields: { _key, ...row } }) => row)).toEqual(nameless);
    for (const { key, fields } of lines) {
      expect(key).toEqual({ _key: fields._key });
      expect(key._key).toMatch(/^[0-9a-f]{32}$/);
    }
    const named = await truth(server, 'production_entries', '?employee_names=1');
    expect(
      named.filter(({ fields }) => String(fields.employeeName).startsWith('Sample, Operator')).length,
    ).toBeGreaterThan(9);
    const statuses = await truth(server, 'workcenter_status');
    expect(JSON.stringify(statuses)).not.toContain('Sample, Operator');
    expect(JSON.stringify(await truth(server, 'workcenter_status', '?employee_names=1'))).toContain('Sample, Operator');
  });

  test('work in progress, checksheets and OEE', async () => {
    const server = await plex();
    const containers = await rowsOf(server, PATHS.containers);
    const wip = containers.filter(({ inventoryType: type, containerStatus: status }) =>
      type === null ? !['Shipped', 'Scrap', 'Inactive', 'Empty'].includes(String(status)) : type === 'WIP',
    );
    expect((await truth(server, 'wip')).map(({ fields }) => fields)).toEqual(wip);
    const [sheet] = await truth(server, 'checksheets');
    expect(sheet?.key).toEqual({ checksheetNumber: 1 });
    expect(sheet?.fields).toHaveProperty('inspectionDate');
    const oee = await truth(server, 'oee_metrics');
    expect(oee).toHaveLength(24);
    expect(oee[0]?.key).toMatchObject({ windowStart: '2026-03-07T00:00:00Z', windowEnd: '2026-03-08T00:00:00Z' });
  });

  test('OEE follows from the rows of 18765', async () => {
    const server = await plex();
    const inputs = { Start_Date: '2026-03-10T00:00:00Z', End_Date: '2026-03-11T00:00:00Z' };
    const rows = (await execute(server, 18765, inputs, '2')).json().rows as readonly Record<string, number>[];
    const lines = await truth(server, 'oee_metrics', '?begin=2026-03-10T00:00Z&end=2026-03-10T23:00Z');
    expect(lines).toHaveLength(3);
    for (const { fields } of lines) {
      const own = rows.filter((row) => String(row.Workcenter_Code) === fields.workcenterCode);
      const sum = (value: (row: Record<string, number>) => number) => own.reduce((total, row) => total + value(row), 0);
      const planned = sum((row) => row.Planned_Production_Time ?? 0);
      const run = sum(
        (row) => ((row.Planned_Production_Time ?? 0) - (row.Downtime_DB ?? 0)) * (row.Standard_Production_Rate ?? 0),
      );
      const made = sum((row) => row.Production_Qty ?? 0);
      const bad = sum((row) => (row.Reject_Qty ?? 0) + (row.Scrap_Qty ?? 0));
      const expected = [
        (planned - sum((row) => row.Downtime_DB ?? 0)) / planned,
        made / (run / 60),
        (made - bad) / made,
      ] as const;
      expect(fields.availability).toBeCloseTo(expected[0], 9);
      expect(fields.performance).toBeCloseTo(expected[1], 9);
      expect(fields.quality).toBeCloseTo(expected[2], 9);
      expect(fields.oee).toBeCloseTo(expected[0] * expected[1] * expected[2], 9);
    }
  });

  test('a stream or date that is none', async () => {
    const server = await plex();
    expect((await sim(server, 'truth/nothing')).json().error).toMatch(
      /unknown stream "nothing"; known streams: .*parts/,
    );
    expect((await sim(server, 'truth/parts?begin=2026-03-10')).json().error).toMatch(/is not a date/);
    expect((await sim(server, 'manifest?end=today')).status).toBe(400);
  });
});
