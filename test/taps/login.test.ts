/** Signing in to a server on premises: what is sent, which answers hold a token, and what stays secret. */
import { text as textOfBody } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { ConnectorError } from '../../singer/errors.ts';
import { judgeEnvelope } from '../../taps/manageengine/connection.ts';
import { LoginAuth, type LoginSettings } from '../../taps/manageengine/login.ts';
import type { Output } from '../contract/tap/outside.ts';
import { clientFor, type Reply, serve } from '../http/replies.ts';
import { type MemoryRun, memoryRun } from '../http/run.ts';
import { Extraction, idsIn } from './extraction.ts';

const LOGIN = '/api/1.3/desktop/authentication';
const SYSTEMS = { streams: ['systems'], pages_per_run: 0 };
const PASSWORD = 'Späße & "blanks" +/=';

interface Office {
  readonly auth: LoginAuth;
  readonly run: MemoryRun;
  /** Forms that arrived. */
  readonly forms: readonly URLSearchParams[];
  readonly paths: readonly string[];
}

const welcome = (authentication: unknown): Reply => ({
  body: JSON.stringify({ message_response: { authentication }, message_version: '1.3', status: 'success' }),
});
const withToken = (token: string): Reply => welcome({ auth_data: { auth_token: token } });

/** A server that answers sign-ins in turn; the last answer stays. */
async function office(answers: readonly Reply[], settings: Partial<LoginSettings> = {}): Promise<Office> {
  const run = memoryRun();
  const forms: URLSearchParams[] = [];
  const paths: string[] = [];
  const { url } = await serve((number, request, response): undefined => {
    void textOfBody(request).then((body) => {
      forms.push(new URLSearchParams(body));
      paths.push(`${request.method} ${request.url}`);
      const { status = 200, headers = {}, body: reply } = answers[Math.min(number, answers.length) - 1] ?? {};
      response.writeHead(status, headers).end(reply ?? '');
    });
  });
  const exchange = clientFor(run, { judge: judgeEnvelope }).exchange;
  const auth = new LoginAuth(
    { baseUrl: url, username: 'patch-reader', password: PASSWORD, domain: undefined, ...settings },
    exchange,
    run,
  );
  return { auth, run, forms, paths };
}

async function failure(promise: Promise<unknown>): Promise<ConnectorError> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  return thrown instanceof ConnectorError ? thrown : expect.fail(`not refused: ${String(thrown)}`);
}

describe('a sign-in', () => {
  it('of a user of the product sends the password in base64, as a form and not in the address', async () => {
    const { auth, forms, paths } = await office([withToken('TOKEN-1')]);
    expect(await auth.headers()).toEqual({ authorization: 'TOKEN-1' });
    expect(paths).toEqual(['POST /api/1.3/desktop/authentication']);
    expect(Object.fromEntries(forms[0] ?? [])).toEqual({
      username: 'patch-reader',
      password: Buffer.from(PASSWORD, 'utf8').toString('base64'),
      auth_type: 'local_authentication',
    });
  });

  it('of a user of a Windows domain names it', async () => {
    const { auth, forms } = await office([withToken('TOKEN-1')], { domain: 'EXAMPLE' });
    await auth.headers();
    expect(Object.fromEntries(forms[0] ?? [])).toMatchObject({ auth_type: 'ad_authentication', domainName: 'EXAMPLE' });
  });

  it('serves every request, also those that come while it is under way', async () => {
    const { auth, paths } = await office([withToken('TOKEN-1'), withToken('TOKEN-2')]);
    const found = await Promise.all([auth.headers(), auth.headers(), auth.headers()]);
    found.push(await auth.headers());
    expect(found).toEqual(found.map(() => ({ authorization: 'TOKEN-1' })));
    expect(paths).toHaveLength(1);
  });

  it('is done again when the token was refused', async () => {
    const { auth, run } = await office([withToken('TOKEN-1'), withToken('TOKEN-2')]);
    await auth.headers();
    await auth.renew();
    expect(await auth.headers()).toEqual({ authorization: 'TOKEN-2' });
    expect(run.events('token_refresh').map(({ fields }) => fields)).toEqual([
      { reason: 'batch_start', success: true },
      { reason: '401', success: true },
    ]);
  });

  it.each([
    ['auth_data.auth_token', { auth_data: { auth_token: 'TOKEN-1' } }],
    ['auth_data.authtoken', { auth_data: { authtoken: 'TOKEN-1' } }],
    ['auth_token', { auth_token: 'TOKEN-1' }],
    ['a number', { auth_data: { auth_token: 123456 } }],
  ])('finds the token in %s', async (_where, authentication) => {
    const { auth } = await office([welcome(authentication)]);
    expect(Object.values(await auth.headers())[0]).toMatch(/^(TOKEN-1|123456)$/);
  });

  it('goes through a busy server', async () => {
    const { auth, forms } = await office([{ status: 503 }, { status: 429 }, withToken('TOKEN-1')]);
    expect(await auth.headers()).toEqual({ authorization: 'TOKEN-1' });
    expect(forms).toHaveLength(3);
  });
});

describe('no token', () => {
  const REFUSED: Reply = {
    body: '{"status":"error","error_code":"10001","error_description":"Invalid user name or password"}',
  };

  it.each([
    ['a refusal', REFUSED, /cannot sign in to 127\.0\.0\.1:\d+: .*Invalid user name or password.* — check username/],
    [
      'a refusal with 401',
      { ...REFUSED, status: 401 },
      /cannot sign in to .*refused the credentials.* — check username/,
    ],
    ['a sign-in page', { body: '<html><input type="password">' }, /cannot sign in to .*sign-in page/],
    [
      'a redirect',
      { status: 302, headers: { location: 'https://login.example.invalid/' } },
      /redirected to login\.example/,
    ],
    ['an answer of another kind', { body: '{"rows":[]}' }, /no object at "message_response\.authentication"/],
    ['an answer without a token', welcome({ user_data: { user_id: 1 } }), /holds no token — create an API key/],
    ['an empty token', withToken(''), /holds no token/],
    ['a null', welcome({ auth_data: { auth_token: null } }), /holds no token/],
    [
      'a second factor',
      welcome({ two_factor_data: { OTP_Validation_Required: true } }),
      /one-time code.* — create an API key/,
    ],
  ])('because of %s', async (_why, answer, text) => {
    const { auth, run } = await office([answer]);
    const thrown = await failure(auth.headers());
    expect([thrown.code, thrown.line]).toEqual(['auth', expect.stringMatching(text)]);
    expect(run.events('token_refresh').map(({ level, fields }) => [level, fields.success])).toEqual([
      ['WARNING', false],
    ]);
  });

  it.each([200, 401])(
    'is asked for once when the user is refused (%i): more attempts lock accounts',
    async (status) => {
      const { auth, forms } = await office([{ ...REFUSED, status }]);
      await failure(auth.headers());
      expect(forms).toHaveLength(1);
    },
  );

  it('because nobody answers is a matter of the network', async () => {
    const { auth } = await office([withToken('TOKEN-1')], { baseUrl: 'http://127.0.0.1:1' });
    expect((await failure(auth.headers())).code).toBe('network');
  });

  it('now does not mean none later', async () => {
    const { auth } = await office([REFUSED, withToken('TOKEN-2'), REFUSED, withToken('TOKEN-4')]);
    await failure(auth.headers());
    expect(await auth.headers()).toEqual({ authorization: 'TOKEN-2' });
    await failure(auth.renew());
    expect(await auth.headers()).toEqual({ authorization: 'TOKEN-4' });
  });
});

describe('a secret', () => {
  it('is declared before it could stand in a line: the base64 before it is sent, the token as it comes', async () => {
    const { auth, run, forms } = await office([{ status: 503 }, withToken('TOKEN-1')]);
    const base64 = Buffer.from(PASSWORD, 'utf8').toString('base64');
    const signedIn = auth.headers();
    expect(run.hidden).toContain(base64);
    await signedIn;
    expect(forms).toHaveLength(2);
    expect(run.hidden).toContain('TOKEN-1');
  });

  it('is in no line and in no failure', async () => {
    const base64 = Buffer.from(PASSWORD, 'utf8').toString('base64');
    for (const answer of [withToken('TOKEN-1'), { body: '{"status":"error","error_code":"10001"}' }, { status: 503 }]) {
      const { auth, run } = await office([answer]);
      const thrown = await auth.headers().catch((error: ConnectorError) => error);
      const told = JSON.stringify([run.lines, thrown instanceof ConnectorError ? [thrown.line, thrown.where] : []]);
      for (const secret of [PASSWORD, base64, encodeURIComponent(base64), 'TOKEN-1'])
        expect(told).not.toContain(secret);
    }
  });
});

/** Ended with 1 and one line that says why, without a row of data. */
function expectRefused(output: Output, text: RegExp): void {
  expect(output.code).toBe(1);
  const critical = output.logs.filter(({ level }) => level === 'CRITICAL');
  expect(critical).toHaveLength(1);
  expect(critical[0]?.message).toMatch(text);
  expect(output.records('systems')).toEqual([]);
}

describe('a whole run of a user', () => {
  async function signedIn(scenario: string, settings: Record<string, string | boolean> = {}): Promise<Extraction> {
    const extraction = await Extraction.start({ scenario }, SYSTEMS);
    extraction.tenant.configure(settings);
    return extraction;
  }
  const user = ({ tenant }: Extraction, domain?: string) => ({
    api_token: null,
    username: tenant.account.username,
    password: tenant.account.password,
    ...(domain !== undefined && { domain }),
  });
  const logins = ({ tenant }: Extraction) => tenant.requests.filter(({ path }) => path === LOGIN);

  function expectNoSecret(extraction: Extraction, output: Output): void {
    const { password } = extraction.tenant.account;
    const base64 = Buffer.from(password).toString('base64');
    for (const secret of [
      password,
      base64,
      encodeURIComponent(base64),
      ...extraction.tenant.tokens.live(extraction.clock.now()),
    ])
      expect(output.stderr + output.stdout).not.toContain(secret);
  }

  it.each([
    ['onprem', undefined, 'auth_token'],
    ['onprem', 'EXAMPLE', 'authtoken'],
    ['msp', undefined, 'auth_token'],
    ['msp', 'EXAMPLE', 'authtoken'],
  ])('signs in once and reads (%s, domain %s, the token called %s)', async (scenario, domain, auth_token_key) => {
    const extraction = await signedIn(scenario, { auth_token_key });
    const output = await extraction.run(user(extraction, domain), ['--log-level', 'DEBUG']);
    expect(output.code, output.summary).toBe(0);
    expect(idsIn([output])).toEqual([...extraction.ids('systems')].sort());
    expect(logins(extraction)).toHaveLength(1);
    expect(logins(extraction)[0]).toMatchObject({
      method: 'POST',
      query: domain === undefined ? { auth_type: 'local_authentication' } : { domainName: 'EXAMPLE' },
    });
    expectNoSecret(extraction, output);
  });

  it('signs in again when the token dies in the middle, and loses no page', async () => {
    const extraction = await signedIn('onprem');
    extraction.tenant.addFault({
      match: { path: '/scandetails$', pages: [4, 4] },
      times: 1,
      action: { type: 'expireToken' },
    });
    const output = await extraction.run(user(extraction), ['--log-level', 'DEBUG']);
    expect(output.code).toBe(0);
    expect(output.table('systems')).toHaveLength(168);
    expect(output.records('extraction_gaps')).toEqual([]);
    expect(output.events('token_refresh').map(({ reason }) => reason)).toEqual(['batch_start', '401']);
    expectNoSecret(extraction, output);
  });

  it('whose every token is refused ends the run after three', async () => {
    const extraction = await signedIn('onprem');
    extraction.tenant.addFault({ match: { path: '/scandetails$' }, action: { type: 'unauthorizedLoop' } });
    const output = await extraction.run(user(extraction));
    expectRefused(output, /refused the credentials 3 times.*check the key or the user/);
    expect(extraction.tenant.requests.filter(({ path }) => path.endsWith('/scandetails'))).toHaveLength(3);
  });

  it.each([
    ['password', { password: 'not-the-password' }],
    ['name', { username: 'nobody' }],
    ['domain', { domain: 'ELSEWHERE' }],
  ])('with the wrong %s is refused in one line', async (_what, wrong) => {
    const extraction = await signedIn('onprem');
    const output = await extraction.run({ ...user(extraction, 'EXAMPLE'), ...wrong });
    expectRefused(
      output,
      /cannot sign in to 127\.0\.0\.1.*Invalid user name or password.*check username, password and domain/,
    );
    expect(extraction.tenant.requests).toHaveLength(1);
    expect(output.stderr).not.toContain('not-the-password');
    expect(output.stderr).not.toContain(Buffer.from('not-the-password').toString('base64'));
  });

  it('with two-factor sign-in is told to make a key', async () => {
    const extraction = await signedIn('onprem', { two_factor: true });
    const output = await extraction.run(user(extraction), ['--log-level', 'DEBUG']);
    expectRefused(output, /one-time code.*api_token/);
    expect(extraction.tenant.requests).toHaveLength(1);
    expectNoSecret(extraction, output);
  });

  it('waits for a server that is busy when he signs in', async () => {
    const extraction = await signedIn('onprem');
    extraction.tenant.addFault({ match: { path: LOGIN }, times: 2, action: { type: 'burst503' } });
    const output = await extraction.run(user(extraction));
    expect(output.code).toBe(0);
    expect(logins(extraction)).toHaveLength(3);
  });
});
