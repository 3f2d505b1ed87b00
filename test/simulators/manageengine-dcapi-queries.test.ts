import { describe, expect, test } from 'vitest';
import type { ManageEngine } from '../../simulators/manageengine/server.ts';
import { get, getAs, getThreats, login, readThreats, SYSTEM_PATCHES, simulator } from './manageengine-client.ts';

describe('what stands around the rows', () => {
  test('the total as a number', async () => {
    const server = await simulator();
    server.tenant().configure({ dcapi_total: 'number' });
    const { metadata } = await getThreats(server, await login(server), SYSTEM_PATCHES);
    expect(metadata).toEqual({ page: 1, pageLimit: 30, totalRecords: 166, totalPages: 6 });
  });

  test('links to the neighbours', async () => {
    const server = await simulator();
    server.tenant().configure({ dcapi_links: true });
    const token = await login(server);
    const links = async (query: string) => (await getThreats(server, token, SYSTEM_PATCHES, query)).metadata.links;
    expect(await links('')).toEqual({ prev: null, next: `${SYSTEM_PATCHES}?page=2&pageLimit=30` });
    expect(await links('page=6')).toEqual({ prev: `${SYSTEM_PATCHES}?page=5&pageLimit=30`, next: null });
  });

  test('nothing but a name', async () => {
    const server = await simulator();
    const token = await login(server);
    const { rows } = await getThreats(server, token, SYSTEM_PATCHES, 'page=2');
    server.tenant().configure({ dcapi_envelope: 'bare' });
    expect((await get(server, token, `${SYSTEM_PATCHES}?page=2`)).json()).toEqual({ systemreport: rows });
    expect((await get(server, token, `${SYSTEM_PATCHES}?page=7`)).json()).toEqual({ systemreport: [] });
    expect((await getThreats(server, token, '/dcapi/threats/patches')).metadata.totalRecords).toBe('262');
  });

  test('the whole of it', async () => {
    const server = await simulator();
    const reply = await get(server, await login(server), SYSTEM_PATCHES);
    expect(reply.type).toBe('text/plain;charset=UTF-8');
    expect(Object.entries(reply.json()).map(([key, value]) => [key, typeof value])).toEqual([
      ['metadata', 'object'],
      ['message_response', 'object'],
      ['status', 'string'],
      ['response_code', 'number'],
    ]);
  });
});

describe('what can be asked for', () => {
  test.each(['pagelimit', 'limit', 'per_page', 'customerId', 'customername', 'orderby', 'resid'])(
    'not %s',
    async (parameter) => {
      const server = await simulator();
      const reply = await get(server, await login(server), `${SYSTEM_PATCHES}?page=1&${parameter}=5`);
      expect([reply.status, reply.json()]).toEqual([
        400,
        { errorCode: 'IAM0028', errorMsg: `Unsupported parameter ${parameter} detected in the request.` },
      ]);
    },
  );

  test('sizes: asked for, too large, the server’s own', async () => {
    const server = await simulator();
    const token = await login(server);
    const size = async (query: string) => {
      const { metadata, rows } = await getThreats(server, token, SYSTEM_PATCHES, query);
      return [metadata.pageLimit, rows.length, metadata.totalPages];
    };
    expect(await size('pageLimit=12')).toEqual([12, 12, 14]);
    expect(await size('pageLimit=500')).toEqual([100, 100, 2]);
    server.tenant().configure({ dcapi_page_size_default: 5, dcapi_page_size_max: 50 });
    expect(await size('')).toEqual([5, 5, 34]);
    expect(await size('pageLimit=500')).toEqual([50, 50, 4]);
  });

  test('past the end: no rows, or those of the first page', async () => {
    const server = await simulator();
    const token = await login(server);
    expect((await getThreats(server, token, SYSTEM_PATCHES, 'page=7')).rows).toEqual([]);
    server.tenant().configure({ past_end: 'wrap' });
    const first = await getThreats(server, token, SYSTEM_PATCHES, 'page=1');
    expect((await getThreats(server, token, SYSTEM_PATCHES, 'page=7')).rows).toEqual(first.rows);
  });

  test('one system', async () => {
    const server = await simulator();
    const token = await login(server);
    const { rows } = await getThreats(server, token, SYSTEM_PATCHES, 'page=2');
    const one = await getThreats(server, token, SYSTEM_PATCHES, `resource_id=${rows[3]?.resource_id}`);
    expect([one.rows, one.metadata.totalRecords]).toEqual([[rows[3]], '1']);
    const nobody = await getThreats(server, token, SYSTEM_PATCHES, 'resource_id=17');
    expect([nobody.rows, nobody.metadata]).toMatchObject([[], { totalRecords: '0', totalPages: 0 }]);
  });
});

describe('MSP', () => {
  async function msp(): Promise<{ server: ManageEngine; ask: (query: string) => ReturnType<typeof getAs> }> {
    const server = await simulator({ scenario: 'msp' });
    const token = String(server.config.api_token);
    return { server, ask: (query) => getAs(server, token, SYSTEM_PATCHES + query) };
  }

  test.each([
    ['missing', '', 'Customer ID Mandatory'],
    ['unknown', '?customername=Nobody', 'Invalid Customer Name'],
  ])('a customer that is %s', async (_name, query, description) => {
    const { ask } = await msp();
    const reply = await ask(query);
    expect([reply.status, reply.json()]).toMatchObject([200, { status: 'error', error_description: description }]);
  });

  test.each(['customerId', 'customerid'])('not %s', async (parameter) => {
    const { ask, server } = await msp();
    const reply = await ask(`?${parameter}=${server.tenant().customers[0].id}`);
    expect([reply.status, reply.json().errorCode]).toEqual([400, 'IAM0028']);
  });

  test('each customer has its own systems, by name', async () => {
    const { server, ask } = await msp();
    const seen = new Set<unknown>();
    for (const { name } of server.tenant().customers) {
      const { rows } = readThreats(await ask(`?customername=${encodeURIComponent(name)}&pageLimit=100&page=2`));
      const ids = server.tenant().manifest({ ids: true, stream: 'dcapi_systems', customer: name }).streams;
      expect(rows.map((row) => row.resource_id)).toEqual(ids.dcapi_systems?.ids?.slice(100));
      for (const { resource_id } of rows) seen.add(resource_id);
    }
    expect(seen.size).toBe(3 * 66);
  });

  test('a build that lacks systemreport below /api has DCAPI', async () => {
    const { server, ask } = await msp();
    server.tenant().configure({ msp_unsupported: true });
    expect(readThreats(await ask('?customername=Customer%20Alpha')).rows).toHaveLength(30);
  });
});
