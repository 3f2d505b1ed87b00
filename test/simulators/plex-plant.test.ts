import { describe, expect, test } from 'vitest';
import { DAY_BEFORE, execute, get, type Json, PATHS, plex, rowsOf, START, sim, truth } from './plex-client.ts';

const WEEK = 'beginDate=2026-03-07T00:00:00Z&endDate=2026-03-14T06:00:00Z';
const PROFILES = ['tiny', 'demo', 'large'];

describe('equal seeds and clocks give equal bytes', () => {
  const paths = [
    PATHS.parts,
    PATHS.jobs,
    PATHS.containers,
    PATHS.specifications,
    `${PATHS.entries}?${WEEK}`,
    `${PATHS.statusEntries}?${WEEK}`,
    `${PATHS.moves}?${WEEK}`,
  ];
  test.each(paths)('%s', async (path) => {
    const [first, second, other] = [await plex(), await plex(), await plex({ seed: 2 })];
    // The order of questions decides nothing.
    await get(second, PATHS.parts);
    const text = (await get(first, path)).text;
    expect((await get(second, path)).text).toBe(text);
    expect((await get(other, path)).text).not.toBe(text);
  });

  test('the account follows from the seed too', async () => {
    const settings = ({ config }: { config: Json }) => [config.api_key, config.ds_password, config.start_date];
    const first = settings(await plex());
    expect(settings(await plex())).toEqual(first);
    expect(settings(await plex({ seed: 2 }))).not.toEqual(first);
  });

  test('another day of the clock leaves the history of a day as it was', async () => {
    const server = await plex();
    const before = await rowsOf(server, `${PATHS.entries}?${DAY_BEFORE}`);
    const later = await plex({ now: () => START + 86_400_000 });
    expect(await rowsOf(later, `${PATHS.entries}?${DAY_BEFORE}`)).toEqual(before);
  });
});

describe('sizes', () => {
  const sizes = {
    tiny: { parts: 12, workcenters: 4, jobs: 10, locations: 8, containers: 30, most: 3, entries: 40, moves: 10 },
    demo: {
      parts: 200,
      workcenters: 12,
      jobs: 150,
      locations: 60,
      containers: 800,
      most: 8,
      entries: 1_500,
      moves: 400,
    },
    large: {
      parts: 17_000,
      workcenters: 143,
      jobs: 5_000,
      locations: 1_270,
      containers: 10_700,
      most: 12,
      entries: 20_000,
      moves: 6_300,
    },
  } as const;
  test.each(Object.entries(sizes))('%s', async (profile, { most, entries, moves, ...lists }) => {
    const server = await plex({ profile });
    const { streams } = (await sim(server, 'manifest')).json() as { streams: Record<string, { rows: number }> };
    for (const [stream, rows] of Object.entries(lists)) expect([stream, streams[stream]?.rows]).toEqual([stream, rows]);
    const day = (await sim(server, 'manifest?begin=2026-03-12T00:00Z&end=2026-03-12T23:59:59.9999999Z')).json();
    expect(day.streams).toMatchObject({ production_entries: { rows: entries }, container_movements: { rows: moves } });
    const [first, second] = await rowsOf(server, `${PATHS.parts}`);
    expect(await rowsOf(server, `${PATHS.boms}?partId=${first?.id}`)).toHaveLength(most);
    expect((await rowsOf(server, `${PATHS.boms}?partId=${second?.id}`)).length).toBeLessThanOrEqual(most);
  });

  test('the manifest counts what the endpoints give', async () => {
    const server = await plex();
    const { streams } = (await sim(server, 'manifest')).json() as { streams: Record<string, { rows: number }> };
    const counted: Record<string, number> = {
      buildings: (await rowsOf(server, '/mdm/v1/buildings')).length,
      operations: (await rowsOf(server, '/mdm/v1/operations')).length,
      part_operations: (await rowsOf(server, '/mdm/v1/part-operations')).length,
      specifications: (await rowsOf(server, PATHS.specifications)).length,
      production_entries: (await rowsOf(server, `${PATHS.entries}?${WEEK}`)).length,
      workcenter_status_entries: (await rowsOf(server, `${PATHS.statusEntries}?${WEEK}`)).length,
      container_movements: (await rowsOf(server, `${PATHS.moves}?${WEEK}`)).length,
      boms: 0,
      job_operations: 0,
      checksheets: ((await execute(server, 4142, {}, '2')).json().rows as unknown[]).length,
    };
    for (const { id } of await rowsOf(server, PATHS.parts)) {
      counted.boms = (counted.boms ?? 0) + (await rowsOf(server, `${PATHS.boms}?partId=${id}`)).length;
    }
    for (const { id } of await rowsOf(server, PATHS.jobs)) {
      counted.job_operations =
        (counted.job_operations ?? 0) + (await rowsOf(server, `${PATHS.jobs}/${id}/operations`)).length;
    }
    for (const [stream, rows] of Object.entries(counted))
      expect([stream, rows]).toEqual([stream, streams[stream]?.rows]);
    for (const stream of Object.keys(streams)) {
      expect([stream, (await truth(server, stream)).length]).toEqual([stream, streams[stream]?.rows]);
    }
  });
});

describe.each(PROFILES)('what every plant contains: %s', (profile) => {
  test('parts: two revisions of a number, names that trip a careless reader', async () => {
    const parts = await rowsOf(await plex({ profile }), PATHS.parts);
    const [first, second] = parts;
    expect(second).toMatchObject({ number: first?.number });
    expect(second?.revision).not.toBe(first?.revision);
    expect(second?.id).not.toBe(first?.id);
    expect(new Set(parts.map(({ id }) => id)).size).toBe(parts.length);
    const names = parts.map(({ name }) => String(name));
    expect(names.some((name) => /[^\p{ASCII}]/u.test(name))).toBe(true);
    expect(names.some((name) => name.includes('"') && name.includes("'"))).toBe(true);
    expect(names.some((name) => name.length === 300)).toBe(true);
  });

  test('boms: a line with a supply item, and no line with both or neither', async () => {
    const server = await plex({ profile });
    const [part] = await rowsOf(server, PATHS.parts);
    const lines = await rowsOf(server, `${PATHS.boms}?partId=${part?.id}`);
    expect(lines.some(({ componentSupplyItemId }) => componentSupplyItemId !== null)).toBe(true);
    expect(lines.some(({ componentPartId }) => componentPartId !== null)).toBe(true);
    for (const line of lines) {
      expect((line.componentPartId === null) !== (line.componentSupplyItemId === null)).toBe(true);
    }
  });

  test('jobs: without dates, with an unknown status, cancelled, running, completed', async () => {
    const jobs = await rowsOf(await plex({ profile }), PATHS.jobs);
    expect(jobs[0]).toMatchObject({
      createdDate: null,
      dueDate: null,
      completedDate: null,
      earliestStartDateTime: null,
    });
    const statuses = jobs.map(({ jobStatus }) => String(jobStatus));
    expect(statuses).toEqual(expect.arrayContaining(['Cancelled', 'Running', 'Completed', 'Scheduled']));
    expect(statuses.some((status) => /[^\p{ASCII}]/u.test(status))).toBe(true);
    for (const { jobStatus, completedDate } of jobs) expect(completedDate !== null).toBe(jobStatus === 'Completed');
  });

  test('containers: one without a part; entries: two that are the same to the byte', async () => {
    const server = await plex({ profile });
    const containers = await rowsOf(server, PATHS.containers);
    expect(containers.filter(({ partId }) => partId === null).length).toBeGreaterThan(0);
    const entries = await rowsOf(server, `${PATHS.entries}?beginDate=2026-03-13T00:00Z&endDate=2026-03-13T01:00:00Z`);
    expect(entries[0]).toEqual(entries[1]);
    expect(new Set(entries.map((entry) => JSON.stringify(entry))).size).toBe(entries.length - 1);
  });

  test('quantities are fractional, and some moves negative', async () => {
    const server = await plex({ profile });
    const moves = await rowsOf(server, `${PATHS.moves}?${DAY_BEFORE}`);
    expect(moves.some(({ quantity }) => Number(quantity) < 0)).toBe(true);
    expect(moves.some(({ quantity }) => !Number.isInteger(quantity))).toBe(true);
  });
});

describe('values', () => {
  test('about 15 % of the optional values are null, and keys never are', async () => {
    const server = await plex({ profile: 'demo' });
    const entries = await rowsOf(server, `${PATHS.entries}?${DAY_BEFORE}`);
    for (const field of ['serialNo', 'unit', 'employeeName', 'trackingNo']) {
      const share = entries.filter((entry) => entry[field] === null).length / entries.length;
      expect(share).toBeGreaterThan(0.12);
      expect(share).toBeLessThan(0.18);
    }
    expect(
      entries.filter(({ transactionDate, workcenterId }) => transactionDate === null || workcenterId === null),
    ).toEqual([]);
  });

  test('dates have 0, 3 and 7 digits, and come in order', async () => {
    const server = await plex({ profile: 'demo' });
    const dates = (await rowsOf(server, `${PATHS.entries}?${DAY_BEFORE}`)).map(({ transactionDate }) =>
      String(transactionDate),
    );
    const digits = dates.map((date) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d+))?Z$/.exec(date)?.[1]?.length ?? 0);
    for (const number of [0, 3, 7]) expect(digits.filter((each) => each === number).length).toBeGreaterThan(400);
    const full = dates.map((date) => `${date.slice(0, 19)}.${date.slice(20, -1).padEnd(7, '0')}`);
    expect(full).toEqual([...full].sort());
  });
});

describe('as the clock goes', () => {
  const advance = (server: Awaited<ReturnType<typeof plex>>, ms: number) => sim(server, 'advance', 'POST', { ms });
  const HOUR = 3_600_000;

  test('the open status of each workcenter grows, and is the present one', async () => {
    const server = await plex();
    const last = async () => {
      const rows = await rowsOf(server, `${PATHS.statusEntries}?${WEEK}`);
      return new Map(rows.map((row) => [String(row.workcenterId), row]));
    };
    const before = await last();
    expect(before.size).toBe(3);
    for (const [id, row] of before) {
      const present = (await get(server, `${PATHS.control}/${id}`)).json();
      expect(present).toMatchObject({ statusDescription: row.workcenterStatus, jobId: row.jobId });
    }
    await advance(server, 1_000);
    for (const [id, row] of await last()) {
      expect(row).toEqual({ ...before.get(id), duration: Number(before.get(id)?.duration) + 1 });
    }
  });

  test('closed statuses of a workcenter follow each other without a gap', async () => {
    const server = await plex();
    const rows = await rowsOf(server, `${PATHS.statusEntries}?${WEEK}`);
    const own = rows.filter(({ workcenterCode }) => workcenterCode === rows[0]?.workcenterCode);
    for (const [at, row] of own.slice(0, -1).entries()) {
      const span = Date.parse(String(own[at + 1]?.logDate)) - Date.parse(String(row.logDate));
      expect(Math.abs(span / 1_000 - Number(row.duration))).toBeLessThan(1);
    }
  });

  test('a container leaves the active list', async () => {
    const server = await plex();
    const before = await rowsOf(server, PATHS.containers);
    await advance(server, HOUR);
    const after = new Set((await rowsOf(server, PATHS.containers)).map(({ serialNo }) => serialNo));
    const gone = before.filter(({ serialNo }) => !after.has(serialNo));
    expect(gone).toHaveLength(1);
    expect((await get(server, `${PATHS.containers}/${gone[0]?.serialNo}`)).status).toBe(404);
  });

  test('containers are where their last move took them, at any time', async () => {
    const server = await plex();
    await sim(server, 'config', 'POST', { calls_per_minute: 0 });
    await advance(server, 26 * HOUR);
    for (let step = 0; step < 10; step += 1) {
      await advance(server, HOUR / 2);
      const moves = await rowsOf(server, `${PATHS.moves}?beginDate=2026-03-07T00:00Z&endDate=2026-03-20T00:00Z`);
      const last = new Map(moves.map((move) => [move.serialNo, move]));
      const moved = (await rowsOf(server, PATHS.containers)).filter(({ serialNo }) => last.has(serialNo));
      expect(moved).toHaveLength(29);
      for (const { serialNo, locationId, location, updateDateTime } of moved) {
        expect(last.get(serialNo)).toMatchObject({ locationId, location, adjustmentDate: updateDateTime });
      }
    }
  });

  test('a job ends', async () => {
    const server = await plex();
    const running = (await rowsOf(server, `${PATHS.jobs}?jobStatuses=Running`)).map(({ id }) => id);
    await advance(server, 3 * HOUR);
    const jobs = (await rowsOf(server, PATHS.jobs)).filter(({ id }) => running.includes(id));
    const ended = jobs.filter(({ jobStatus }) => jobStatus === 'Completed');
    expect(ended.length).toBeGreaterThan(0);
    for (const { quantity, quantityCompleted, completedDate } of ended) {
      expect(quantityCompleted).toBe(quantity);
      expect(String(completedDate)).toMatch(/^2026-03-14T0[6-9]/);
    }
  });

  test('new entries appear, the old ones stay', async () => {
    const server = await plex();
    const window = `${PATHS.entries}?beginDate=2026-03-14T00:00Z&endDate=2026-03-15T00:00Z`;
    const before = await rowsOf(server, window);
    await advance(server, 6 * HOUR);
    const after = await rowsOf(server, window);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after).toHaveLength(20);
  });
});
