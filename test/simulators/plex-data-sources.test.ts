import { describe, expect, test } from 'vitest';
import { basic, call, execute, type Json, PATHS, plex, type Reply, rowsOf, sim } from './plex-client.ts';

const DAY = { Start_Date: '2026-03-12T00:00:00Z', End_Date: '2026-03-13T00:00:00Z' };

interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

function tableOf(reply: Reply): Table {
  return (reply.json().tables as readonly Table[])[0] as Table;
}

/** Rows of an answer in its second form. */
async function records(server: Awaited<ReturnType<typeof plex>>, id: number, inputs: Json): Promise<readonly Json[]> {
  return (await execute(server, id, inputs, '2')).json().rows as readonly Json[];
}

function code(reply: Reply): readonly [number, unknown] {
  const [error] = reply.json().errors as readonly Json[];
  expect(reply.json().transactionNo).toMatch(/^9\d{8}$/);
  return [reply.status, error?.code];
}

describe('answers', () => {
  test('the two forms say the same', async () => {
    const server = await plex();
    const first = await execute(server, 18765, DAY);
    const { columns, rows } = tableOf(first);
    const second = (await execute(server, 18765, DAY, '2')).json();
    expect(second.rows).toEqual(rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at]]))));
    expect([first.json().outputs, second.outputs]).toEqual([{}, {}]);
    expect(rows.length).toBeGreaterThan(2);
  });

  test('every call has a transaction number of its own', async () => {
    const server = await plex();
    const numbers = [await execute(server, 18765, DAY), await execute(server, 1), await execute(server, 18765, DAY)];
    expect(numbers.map((reply) => reply.json().transactionNo)).toEqual(['900000001', '900000002', '900000003']);
  });

  const columns = [
    [4142, {}, 26],
    [5112, {}, 11],
    [6429, { Specification_Key: 300_001 }, 72],
    [18765, DAY, 14],
    [22870, { Workcenter_Key: 50_001 }, 6],
  ] as const;
  test.each(columns)('%i has its columns', async (id, inputs, count) => {
    const { columns, rows } = tableOf(await execute(await plex(), id, inputs));
    expect(columns).toHaveLength(count);
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(row).toHaveLength(count);
  });

  test('keys of 18765 open 22870, and codes are those of the REST API', async () => {
    const server = await plex();
    const codes = (await rowsOf(server, PATHS.workcenters)).map(({ workcenterCode }) => workcenterCode);
    for (const { Workcenter_Key, Workcenter_Code } of await records(server, 18765, DAY)) {
      const [row] = await records(server, 22870, { Workcenter_Key });
      expect(row?.Workcenter_Code).toBe(Workcenter_Code);
      expect(codes).toContain(Workcenter_Code);
    }
  });

  test('inputs filter', async () => {
    const server = await plex();
    const all = await records(server, 18765, DAY);
    const own = await records(server, 18765, { ...DAY, Workcenter_Code: 'MIX-01' });
    expect(own).toEqual(all.filter((row) => row.Workcenter_Code === 'MIX-01'));
    const sheets = await records(server, 4142, {
      Inspection_Date_Begin: '2026-03-12T00:00:00Z',
      Inspection_Date_End: '2026-03-12T23:59:59Z',
    });
    expect(sheets).toHaveLength(4);
    for (const { Inspection_Date: date } of sheets) expect(String(date)).toMatch(/^2026-03-12T/);
    expect(await records(server, 4142, { Record_Limit: 3 })).toHaveLength(3);
    const [spec] = await records(server, 5112, { Specification_No: 'SPEC-00002' });
    expect(await records(server, 6429, { Specification_Key: spec?.Specification_Key })).toMatchObject([{ ...spec }]);
  });

  test('the window of 18765 is the only time: two days have the rows of each', async () => {
    const server = await plex();
    const [first, second] = [DAY, { Start_Date: DAY.End_Date, End_Date: '2026-03-14T00:00:00Z' }];
    const both = await records(server, 18765, { Start_Date: first.Start_Date, End_Date: second.End_Date });
    expect(both).toEqual([...(await records(server, 18765, first)), ...(await records(server, 18765, second))]);
  });
});

describe('the row limit', () => {
  const limited = async () => {
    const server = await plex({ scenario: 'rowlimit' });
    return { server, ask: async (format = '') => (await execute(server, 18765, DAY, format)).json() };
  };

  test('cuts, and says so in four spellings', async () => {
    const { ask } = await limited();
    const answers = [await ask(), await ask(), await ask(), await ask(), await ask()];
    const spelled = answers.map(({ outputs: _o, transactionNo: _t, tables, ...others }) => {
      const [{ columns: _c, rows, ...inside } = { columns: [], rows: [] }] = tables as readonly Table[];
      expect(rows).toHaveLength(3);
      return [others, inside];
    });
    expect(spelled).toEqual([
      [{ rowLimitedExceeded: true }, {}],
      [{}, { rowLimitedExceeded: true }],
      [{ limitExceeded: true }, {}],
      [{ rowLimitExceeded: true }, {}],
      [{ rowLimitedExceeded: true }, {}],
    ]);
  });

  test('a spelling can be fixed, and the second form has it beside the rows', async () => {
    const { server, ask } = await limited();
    await sim(server, 'config', 'POST', { row_limit_flag: 'limitExceeded' });
    expect(await ask('2')).toMatchObject({ limitExceeded: true });
    expect(await ask('2')).toMatchObject({ limitExceeded: true });
  });

  test('is not exceeded by as many rows as it allows', async () => {
    const server = await plex();
    const { rows } = tableOf(await execute(server, 18765, DAY));
    await sim(server, 'faults', 'POST', { action: { type: 'rowLimit', rows: rows.length } });
    expect((await execute(server, 18765, DAY)).text).toContain('xceeded":false');
  });

  test('of 4142 is 5,000', async () => {
    const server = await plex({ profile: 'large' });
    const answer = (await execute(server, 4142, {}, '2')).json();
    expect(answer.rows).toHaveLength(5_000);
    expect(JSON.stringify(answer)).toContain('xceeded":true');
  });
});

describe('what is refused', () => {
  const cases: readonly (readonly [string, number, Json, string])[] = [
    ['an input that there is not', 4142, { Date_Begin: '2026-03-12T00:00:00Z' }, 'INPUT_NOT_FOUND'],
    ['an input in another case', 18765, { ...DAY, workcenter_code: 'MIX-01' }, 'INPUT_NOT_FOUND'],
    ['a missing input', 18765, { Start_Date: DAY.Start_Date }, 'INPUT_REQUIRED'],
    ['null where it may not be', 22870, { Workcenter_Key: null }, 'INPUT_NOT_NULLABLE'],
    ['a UUID for a number', 22870, { Workcenter_Key: '0d8e0000-0000-4000-8000-000000000000' }, 'INPUT_TYPE_MISMATCH'],
    ['a date without Z', 18765, { ...DAY, End_Date: '2026-03-13T00:00:00+00:00' }, 'INPUT_FORMAT_INVALID'],
    ['a date only', 18765, { ...DAY, End_Date: '2026-03-13' }, 'INPUT_FORMAT_INVALID'],
    ['a record that there is not', 22870, { Workcenter_Key: 1 }, 'OBJECT_NOT_FOUND'],
    ['a data source that there is not', 1, {}, 'NOT_FOUND'],
  ];
  test.each(cases)('%s', async (_name, id, inputs, end) => {
    expect(code(await execute(await plex(), id, inputs))).toEqual([400, `DATA_SOURCE_${end}`]);
  });

  test('inputs without their wrapper, a wrapper in the second form, no JSON', async () => {
    const server = await plex();
    const post = (body: string, query = '') =>
      call(`${server.url}/api/datasources/18765/execute${query}`, { method: 'POST', headers: basic(server), body });
    expect(code(await post(JSON.stringify(DAY)))).toEqual([400, 'DATA_SOURCE_INPUT_FORMAT_INVALID']);
    expect(code(await post('{'))).toEqual([400, 'DATA_SOURCE_INPUT_FORMAT_INVALID']);
    const wrapped = await post(JSON.stringify({ inputs: DAY }), '?format=2');
    expect(code(wrapped)).toEqual([400, 'DATA_SOURCE_INPUT_NOT_FOUND']);
  });

  test('GET on execute', async () => {
    const server = await plex();
    const reply = await call(`${server.url}/api/datasources/18765/execute`, { headers: basic(server) });
    expect(code(reply)).toEqual([405, 'METHOD_NOT_ALLOWED']);
  });

  test('a wrong user, the key of the other API, nobody', async () => {
    const server = await plex();
    const headers = [{}, { authorization: 'Basic eDp5' }, { 'X-Plex-Connect-Api-Key': String(server.config.api_key) }];
    for (const each of headers) {
      const reply = await call(`${server.url}/api/datasources/18765`, { headers: each });
      expect(code(reply)).toEqual([401, 'USER_ACCESS_DENIED']);
    }
  });
});

describe('metadata', () => {
  const inputs = [
    [4142, 'Checksheets_Get', 24],
    [5112, 'Specification_Picker_Get', 5],
    [6429, 'Specification_Get', 1],
    [18765, 'Daily_Performance_Report_Get', 16],
    [22870, 'Workcenter_Performance_Simple_Get', 1],
  ] as const;
  test.each(inputs)('%i %s has %i inputs', async (id, name, count) => {
    const server = await plex();
    const source = (await call(`${server.url}/api/datasources/${id}`, { headers: basic(server) })).json();
    expect(source).toMatchObject({ id, name, outputs: [] });
    expect(source.inputs).toHaveLength(count);
    for (const input of source.inputs as readonly Json[]) {
      expect(Object.keys(input).sort()).toEqual(['name', 'nullable', 'required', 'type']);
    }
  });

  test('search by a part of the name', async () => {
    const server = await plex();
    const found = await call(`${server.url}/api/datasources/search?name=performance`, { headers: basic(server) });
    expect(found.rows().map(({ id }) => id)).toEqual([18765, 22870]);
  });
});
