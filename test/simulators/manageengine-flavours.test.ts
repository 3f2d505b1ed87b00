import { describe, expect, test } from 'vitest';
import type { ManageEngine } from '../../simulators/manageengine/server.ts';
import type { Tenant } from '../../simulators/manageengine/tenant.ts';
import { call, getAs, type Json, login, readPage, SCAN, sim, simulator } from './manageengine-client.ts';

const LOGIN = '/api/1.3/desktop/authentication';
const REPORT = '/api/1.4/patch/systemreport';

function apiToken(server: ManageEngine): string {
  return String(server.config.api_token);
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function credentials({ account }: Tenant): Record<string, string> {
  return {
    username: account.username,
    password: base64(account.password),
    auth_type: 'local_authentication',
  };
}

function authentication(reply: { json: () => Json }): Record<string, Json> {
  return (reply.json().message_response as { authentication: Record<string, Json> }).authentication;
}

async function signIn(server: ManageEngine): Promise<string> {
  const query = new URLSearchParams(credentials(server.tenant()));
  return String(authentication(await call(`${server.url}${LOGIN}?${query}`)).auth_data?.auth_token);
}

describe('on-premises', () => {
  test('config and ids', async () => {
    const server = await simulator({ scenario: 'onprem' });
    expect(server.config).toEqual({ base_url: server.url, api_token: expect.stringMatching(/^[0-9A-F-]{35}$/) });
    const page = readPage(await getAs(server, apiToken(server), SCAN));
    expect(page.ids.filter((id) => !/^\d{3,5}$/.test(id))).toEqual([]);
    expect(page.total).toBe(168);
  });

  test('the flavour may be chosen apart from the scenario', async () => {
    const server = await simulator({ flavour: 'onprem', scenario: 'token-60s' });
    expect(server.tenant().flavour).toBe('onprem');
    expect((await getAs(server, apiToken(server), SCAN)).status).toBe(200);
  });

  test.each([
    ['unknown', () => 'nonsense'],
    ['absent', () => undefined],
    ['with the prefix of the cloud', (token: string) => `Zoho-oauthtoken ${token}`],
    ['with Bearer', (token: string) => `Bearer ${token}`],
  ])('a token %s is refused', async (_name, shown) => {
    const server = await simulator({ scenario: 'onprem' });
    const reply = await getAs(server, shown(apiToken(server)), SCAN);
    expect([reply.status, reply.json()]).toEqual([401, { ErrorCode: '10002', ErrorMsg: 'Invalid or expired token' }]);
  });

  test('customers and their ids are not known here', async () => {
    const server = await simulator({ scenario: 'onprem' });
    const token = apiToken(server);
    expect((await getAs(server, token, '/api/1.4/desktop/customers')).json().error_code).toBe('10022');
    expect((await getAs(server, token, `${SCAN}?customerid=101`)).json().errorCode).toBe('IAM0028');
  });
});

describe('login', () => {
  test.each(['1.0', '1.3', '1.4'])('version %s, by query, form and JSON', async (version) => {
    const server = await simulator({ scenario: 'onprem' });
    const path = `${server.url}/api/${version}/desktop/authentication`;
    const form = credentials(server.tenant());
    const tokens = new Set<string>();
    for (const reply of [
      await call(`${path}?${new URLSearchParams(form)}`),
      await call(path, { method: 'POST', body: new URLSearchParams(form) }),
      await call(path, { method: 'POST', body: JSON.stringify(form) }),
    ]) {
      expect(reply.json()).toMatchObject({
        message_type: 'authentication',
        message_version: version,
        status: 'success',
      });
      const token = String(authentication(reply).auth_data?.auth_token);
      expect(token).toMatch(/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/);
      expect((await getAs(server, token, SCAN)).status).toBe(200);
      tokens.add(token);
    }
    expect(tokens.size).toBe(3);
  });

  test.each([
    ['a wrong password', { password: base64('wrong') }],
    ['a password that is not in base64', { password: 'plain' }],
    ['an unknown user', { username: 'nobody' }],
    ['an unknown way', { auth_type: 'magic' }],
    ['a domain that is not named', { auth_type: 'ad_authentication' }],
    ['another domain', { auth_type: 'ad_authentication', domainName: 'OTHER' }],
  ])('refuses %s', async (_name, change) => {
    const server = await simulator({ scenario: 'onprem' });
    const body = new URLSearchParams({ ...credentials(server.tenant()), ...change });
    const reply = await call(server.url + LOGIN, { method: 'POST', body });
    expect(reply.json()).toMatchObject({ status: 'error', error_code: '10001' });
    expect(reply.text).not.toContain('auth_data');
  });

  test('by a domain', async () => {
    const server = await simulator({ scenario: 'onprem' });
    const change = { auth_type: 'ad_authentication', domainName: server.tenant().account.domain };
    const body = new URLSearchParams({ ...credentials(server.tenant()), ...change });
    expect(authentication(await call(server.url + LOGIN, { method: 'POST', body })).auth_data).toBeDefined();
  });

  test('the other spelling of the token', async () => {
    const server = await simulator({ scenario: 'onprem' });
    server.tenant().configure({ auth_token_key: 'authtoken' });
    const body = JSON.stringify(credentials(server.tenant()));
    const reply = await call(server.url + LOGIN, { method: 'POST', body });
    expect(Object.keys(authentication(reply).auth_data ?? {})).toEqual(['authtoken']);
  });

  test('with a one-time password', async () => {
    const server = await simulator({ scenario: 'onprem' });
    server.tenant().configure({ two_factor: true });
    const body = JSON.stringify(credentials(server.tenant()));
    const first = authentication(await call(server.url + LOGIN, { method: 'POST', body }));
    expect(first).toMatchObject({ two_factor_data: { OTP_Validation_Required: true } });
    expect(first).not.toHaveProperty('auth_data');
    const uid = String(first.two_factor_data?.unique_userID);
    const validate = (fields: Record<string, string>) =>
      call(`${server.url}/api/1.4/desktop/authentication/otpValidate`, {
        method: 'POST',
        body: JSON.stringify(fields),
      });
    expect((await validate({ uid, otp: '000000' })).json().status).toBe('error');
    expect((await validate({ uid: '1_0', otp: server.tenant().account.otp })).json().status).toBe('error');
    const second = authentication(await validate({ uid, otp: server.tenant().account.otp }));
    expect((await getAs(server, String(second.auth_data?.auth_token), SCAN)).status).toBe(200);
    expect((await validate({ uid, otp: server.tenant().account.otp })).json().status).toBe('error');
  });

  test('a login token lives until it is expired, the key goes on', async () => {
    const server = await simulator({ scenario: 'onprem' });
    const token = await signIn(server);
    server.tenant().advance(400 * 86_400_000);
    expect((await getAs(server, token, SCAN)).status).toBe(200);
    expect((await sim(server, 'expire', 'POST')).json()).toEqual({ expired: 1 });
    expect((await getAs(server, token, SCAN)).status).toBe(401);
    expect((await getAs(server, apiToken(server), SCAN)).status).toBe(200);
    expect((await getAs(server, await signIn(server), SCAN)).status).toBe(200);
  });

  test('the fault expireToken ends a login token, and a new login helps', async () => {
    const server = await simulator({ scenario: 'onprem' });
    const token = await signIn(server);
    server.tenant().addFault({ match: { path: '/scandetails$' }, times: 1, action: { type: 'expireToken' } });
    const statuses = [await getAs(server, token, SCAN), await getAs(server, token, SCAN)].map(({ status }) => status);
    expect(statuses).toEqual([401, 401]);
    expect((await getAs(server, await signIn(server), SCAN)).status).toBe(200);
  });

  test('faults reach the login, and the log keeps no password', async () => {
    const server = await simulator({ scenario: 'onprem' });
    server.tenant().addFault({ match: { path: '/authentication$' }, times: 1, action: { type: 'burst503' } });
    const query = new URLSearchParams(credentials(server.tenant()));
    expect((await call(`${server.url}${LOGIN}?${query}`)).status).toBe(503);
    await signIn(server);
    const logged = JSON.stringify(server.tenant().requests);
    expect(logged).toContain('"username":"admin"');
    expect(logged).not.toContain(query.get('password'));
  });

  test('the cloud has no login', async () => {
    const server = await simulator();
    const reply = await call(`${server.url}${LOGIN}?${new URLSearchParams(credentials(server.tenant()))}`);
    expect(reply.status).toBe(401);
  });

  test('each of several servers knows its own people', async () => {
    const server = await simulator({ scenario: 'onprem' });
    const added = await sim(server, 'tenants', 'POST', { client_id: 'second', flavour: 'onprem', api_token: 'KEY-2' });
    expect(added.json()).toMatchObject({
      flavour: 'onprem',
      config: { api_token: 'KEY-2' },
      account: { username: 'admin' },
    });
    const body = JSON.stringify(credentials(server.tenant('second')));
    const reply = await call(server.url + LOGIN, { method: 'POST', body });
    const token = String(authentication(reply).auth_data?.auth_token);
    expect(server.tenant('second').tokens.knows(token)).toBe(true);
    expect(server.tenant().tokens.knows(token)).toBe(false);
  });
});

describe('MSP', () => {
  interface Named {
    readonly customer_id: number;
    readonly customer_name: string;
  }

  async function customersOf(server: ManageEngine): Promise<Named[]> {
    const reply = await getAs(server, apiToken(server), '/api/1.4/desktop/customers');
    return (reply.json().message_response as { customers: Named[] }).customers;
  }

  test('config names the first customer, and all are listed', async () => {
    const server = await simulator({ scenario: 'msp' });
    expect(server.config).toEqual({
      base_url: server.url,
      api_token: apiToken(server),
      customer_name: 'Customer Alpha',
    });
    const customers = await customersOf(server);
    expect(customers.map(({ customer_name }) => customer_name)).toEqual([
      'Customer Alpha',
      'Customer Beta & Söhne',
      'Customer Gamma',
    ]);
    expect(customers.map(({ customer_id }) => String(customer_id))).toEqual(
      server.tenant().customers.map(({ id }) => id),
    );
  });

  test.each([401, 200])('a key with a prefix, or a wrong one, is refused with status %i', async (status) => {
    const server = await simulator({ scenario: 'msp' });
    server.tenant().configure({ token_refusal_status: status });
    const token = apiToken(server);
    for (const shown of [`Bearer ${token}`, `Zoho-authtoken ${token}`, 'wrong', undefined]) {
      const reply = await getAs(server, shown, '/api/1.4/desktop/customers');
      expect([reply.status, reply.json().error_code]).toEqual([status, '10002']);
    }
  });

  test.each([
    ['missing', '', 'Customer ID Mandatory'],
    ['unknown', '?customerid=99999', 'Invalid Customer ID'],
  ])('a customer id that is %s', async (_name, query, description) => {
    const server = await simulator({ scenario: 'msp' });
    for (const path of [SCAN, '/api/1.4/patch/summary', '/api/1.4/som/computers']) {
      const reply = await getAs(server, apiToken(server), path + query);
      expect([reply.status, reply.json()]).toMatchObject([200, { status: 'error', error_description: description }]);
    }
  });

  test('the parameter is spelt in one way', async () => {
    const server = await simulator({ scenario: 'msp' });
    const reply = await getAs(server, apiToken(server), `${SCAN}?customerId=101`);
    expect([reply.status, reply.json().errorCode]).toEqual([400, 'IAM0028']);
  });

  test('customers share no id, and each has what the manifest says', async () => {
    const server = await simulator({ scenario: 'msp' });
    const seen = new Map<string, string>();
    for (const { customer_id, customer_name } of await customersOf(server)) {
      const truth = server.tenant().manifest({ ids: true, customer: customer_name }).streams;
      const manifest = await sim(server, `manifest?ids=1&customer=${encodeURIComponent(customer_name)}`);
      expect(manifest.json().streams).toEqual(truth);
      const page = readPage(await getAs(server, apiToken(server), `${SCAN}?customerid=${customer_id}&pagelimit=1000`));
      expect(page.ids).toEqual(truth.systems?.ids);
      expect(new Set(page.rows.map((row) => `${row.customer_id} ${row.customer_name}`))).toEqual(
        new Set([`${customer_id} ${customer_name}`]),
      );
      for (const stream of [
        'som_computers',
        'patches',
        'remote_offices',
        'deployment_policies',
        'view_configurations',
      ]) {
        for (const id of truth[stream]?.ids ?? []) {
          expect(seen.get(`${stream} ${id}`)).toBeUndefined();
          seen.set(`${stream} ${id}`, customer_name);
        }
      }
      const [pair = ''] = truth.system_reports?.ids ?? [];
      const [system] = pair.split('/');
      const report = await getAs(server, apiToken(server), `${REPORT}?resid=${system}&customerid=${customer_id}`);
      expect(readPage(report).total).toBe(
        truth.system_reports?.ids?.filter((each) => each.startsWith(`${system}/`)).length,
      );
    }
  });

  test('a system of one customer is unknown to another', async () => {
    const server = await simulator({ scenario: 'msp' });
    const [alpha, beta] = server.tenant().customers;
    const [system] = (server.tenant().manifest({ ids: true }).streams.system_reports?.ids?.[0] ?? '').split('/');
    const total = async (id: string | undefined) =>
      readPage(await getAs(server, apiToken(server), `${REPORT}?resid=${system}&customerid=${id}`)).total;
    expect([(await total(alpha.id)) > 0, await total(beta?.id)]).toEqual([true, 0]);
  });

  test('changes and faults concern one customer', async () => {
    const server = await simulator({ scenario: 'msp' });
    const [alpha, beta, gamma] = server.tenant().customers;
    const rows = (customer: string) => server.tenant().manifest({ customer }).streams.systems?.rows;
    await sim(server, `shrink?customer=${encodeURIComponent(beta?.name ?? '')}`, 'POST', { count: 8 });
    expect([rows(alpha.name), rows(beta?.name ?? ''), rows(gamma?.name ?? '')]).toEqual([168, 160, 168]);
    server.tenant().addFault({ match: { query: { customerid: gamma?.id ?? '' } }, action: { type: 'burst503' } });
    const status = async (id: string | undefined) =>
      (await getAs(server, apiToken(server), `${SCAN}?customerid=${id}`)).status;
    expect([await status(alpha.id), await status(gamma?.id)]).toEqual([200, 503]);
  });

  test.each(['au', 'us', 'onprem'])('five customers of one seed share no id in mode %s', async (id_mode) => {
    const server = await simulator({ scenario: 'msp' });
    server.tenant().configure({ id_mode, customers: ['A', 'B', 'C', 'D', 'E'] });
    const streams = ['som_computers', 'remote_offices', 'patches', 'deployment_policies', 'view_configurations'];
    for (const stream of streams) {
      const ids = ['A', 'B', 'C', 'D', 'E'].flatMap(
        (customer) => server.tenant().manifest({ ids: true, stream, customer }).streams[stream]?.ids ?? [],
      );
      expect(new Set(ids).size).toBe(5 * (server.tenant().manifest({ stream }).streams[stream]?.rows ?? 0));
    }
  });

  test.each([
    [true, ['allpatches', 'missingpatches', 'supportedpatches', 'systemreport', 'computers', 'remoteoffice']],
    [['som'], ['computers', 'remoteoffice']],
    [['scandetails'], ['scandetails']],
  ])('a build that lacks %j', async (msp_unsupported, absent) => {
    const server = await simulator({ scenario: 'msp' });
    server.tenant().configure({ msp_unsupported });
    const { id } = server.tenant().customers[0];
    const paths = ['scandetails', 'allsystems', 'allpatches', 'missingpatches', 'supportedpatches', 'systemreport'];
    const refused: string[] = [];
    for (const path of [...paths.map((name) => `patch/${name}`), 'som/computers', 'som/remoteoffice']) {
      const reply = await getAs(server, apiToken(server), `/api/1.4/${path}?customerid=${id}`);
      if (reply.json().error_code === '10022') refused.push(path.split('/')[1] ?? '');
    }
    expect(refused.sort()).toEqual([...absent].sort());
    expect(Object.keys(server.tenant().manifest().streams)).not.toContain(
      absent.includes('scandetails') ? 'systems' : 'som_summary',
    );
  });
});

describe('a token without the scope for SoM', () => {
  test.each([
    ['401', 401, 'INVALID_OAUTHSCOPE'],
    ['html', 200, '<form'],
  ])('%s', async (missing_scope, status, text) => {
    const server = await simulator();
    server.tenant().configure({ missing_scope });
    const authorization = `Zoho-oauthtoken ${await login(server)}`;
    const refused = await getAs(server, authorization, '/api/1.4/som/computers');
    expect([refused.status, refused.text]).toEqual([status, expect.stringContaining(text)]);
    expect((await getAs(server, authorization, SCAN)).status).toBe(200);
    expect(server.tenant().manifest().streams).not.toHaveProperty('som_computers');
  });
});
