import { expect, test } from 'vitest';
import { get, getPage, login, SCAN, simulator } from './manageengine-client.ts';

test('rows of one list gain and lose fields, those of others do not', async () => {
  const server = await simulator();
  const token = await login(server);
  const before = await getPage(server, token, SCAN, 2);
  server.tenant().configure({ drift: { scandetails: { add: ['new_field', 'risk.score'], drop: ['os_language'] } } });
  const { rows } = await getPage(server, token, SCAN, 2);
  const expected = before.rows.map(({ os_language, ...row }) => ({
    ...row,
    new_field: 'new new_field',
    'risk.score': 'new risk.score',
  }));
  expect(rows).toEqual(expected);
  const other = await getPage(server, token, '/api/1.4/patch/allsystems', 1);
  expect(other.rows.some((row) => 'new_field' in row)).toBe(false);
  server.tenant().configure({ drift: {} });
  expect(await getPage(server, token, SCAN, 2)).toEqual(before);
});

test('ids keep all their digits', async () => {
  const server = await simulator({ scenario: 'precision' });
  const token = await login(server);
  const before = await get(server, token, SCAN);
  server.tenant().configure({ drift: { scandetails: { add: ['x'] } } });
  const after = await get(server, token, SCAN);
  expect(after.text.replaceAll(',"x":"new x"', '')).toBe(before.text);
});

test('a list may lose its key, and so may a report', async () => {
  const server = await simulator();
  const token = await login(server);
  server.tenant().configure({
    drift: { computers: { drop: ['resource_id', 'resource_id_string'] }, systemreport: { add: ['extra'] } },
  });
  expect((await getPage(server, token, '/api/1.4/som/computers', 1)).ids).toEqual([]);
  const [system] = (server.tenant().manifest({ ids: true }).streams.system_reports?.ids?.[0] ?? '').split('/');
  const { text } = await get(server, token, `/api/1.4/patch/systemreport?resid=${system}`);
  expect(text).toContain('"extra":"new extra"');
});

test('drift and faults go together', async () => {
  const server = await simulator();
  const token = await login(server);
  server.tenant().configure({ drift: { scandetails: { add: ['x'] } } });
  server.tenant().addFault({ action: { type: 'badRow' } });
  const { rows } = await getPage(server, token, SCAN, 1);
  expect(rows.filter((row) => row.x === 'new x')).toHaveLength(25);
  expect(rows).toHaveLength(26);
});
