import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { control, type Office } from './control.ts';
import { type Flavour, shownIn } from './flavours.ts';
import { isLogin, namesAccount } from './login.ts';
import { invalidClient } from './oauth.ts';
import { carryOut, later, sendAnswer } from './sending.ts';
import { type Outcome, serveApi, serveLogin, serveToken } from './serve.ts';
import { SlackInbox } from './slack.ts';
import { Tenant, type TenantOptions } from './tenant.ts';

/** The tenant that exists from the start. */
export const DEFAULT_CLIENT_ID = '1000.SIMULATOR';

const TOKEN_PATH = '/oauth/v2/token';
const SLACK_PATH = '/__sim/slack';

export interface ManageEngineOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** `small` (default) or `full`. */
  readonly profile?: string;
  /** Decides every generated value and every drawn fault; 1 by default. */
  readonly seed?: number;
  /** `happy` by default. */
  readonly scenario?: string;
  /** `cloud` unless the scenario says otherwise. */
  readonly flavour?: Flavour;
  /** Epoch milliseconds; `/__sim/clock` adds to it. */
  readonly now?: () => number;
}

/** A running simulator. `tenant()` is the default tenant, `tenant(clientId)` an added one. */
export interface ManageEngine extends Office {
  readonly url: string;
  /** Settings of the default tenant that tap-pmp can use as they are. */
  readonly config: Record<string, unknown>;
  /** Ends all connections, hanging ones too. */
  close(): Promise<void>;
}

async function bodyText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

async function answerToken(
  office: Office,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const form = new URLSearchParams([...url.searchParams, ...new URLSearchParams(await bodyText(request))]);
  const clientId = form.get('client_id') ?? '';
  const known = office.tenants.find(
    (tenant) => tenant.flavour === 'cloud' && tenant.credentials.client_id === clientId,
  );
  const tenant = known ?? office.tenant();
  const method = request.method ?? 'GET';
  const entry = tenant.log.open({
    at: tenant.now,
    tenant: clientId,
    method,
    path: url.pathname,
    query: form,
    page: null,
  });
  const outcome: Outcome = known
    ? serveToken(tenant, entry, form)
    : { kind: 'answer', answer: invalidClient(), delayMs: 0 };
  await carryOut(response, outcome, entry, tenant);
}

async function answerApi(office: Office, request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  const shown = shownIn(request.headers.authorization);
  const tenant = office.tenants.find(({ tokens }) => tokens.knows(shown.token)) ?? office.tenant();
  const query = url.searchParams;
  const entry = tenant.log.open({
    at: tenant.now,
    tenant: tenant.credentials.client_id,
    method: request.method ?? 'GET',
    path: url.pathname,
    query,
    page: /^\d{1,9}$/.test(query.get('page') ?? '') ? Number(query.get('page')) : null,
  });
  await carryOut(response, serveApi(tenant, entry, query, shown), entry, tenant);
}

function isJson(text: string): boolean {
  try {
    return text.startsWith('{') && JSON.parse(text) !== null;
  } catch {
    return false;
  }
}

/** The query, and a body that is a form or a JSON object of texts. What is neither names nobody. */
function loginForm(url: URL, text: string): URLSearchParams {
  const form = new URLSearchParams(isJson(text) ? (JSON.parse(text) as Record<string, string>) : text);
  return new URLSearchParams([...url.searchParams, ...form]);
}

async function answerLogin(
  servers: readonly [Tenant, ...Tenant[]],
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const form = loginForm(url, await bodyText(request));
  const tenant = servers.find(({ account }) => namesAccount(form, account)) ?? servers[0];
  const entry = tenant.log.open({
    at: tenant.now,
    tenant: tenant.credentials.client_id,
    method: request.method ?? 'GET',
    path: url.pathname,
    query: form,
    page: null,
  });
  await carryOut(response, serveLogin(tenant, entry, form), entry, tenant);
}

/** The incoming webhook of Slack, which is the same for all tenants. */
async function answerSlack(office: Office, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { slack } = office;
  const answer = slack.receive(await bodyText(request), office.tenant().now);
  const { delay_ms: delayMs, hang } = slack.behaviour;
  if (hang) return;
  await later(delayMs);
  if (!response.destroyed) await sendAnswer(response, answer, 0);
}

async function answer(office: Office, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const { method = 'GET' } = request;
  if (method === 'POST' && url.pathname === SLACK_PATH) return answerSlack(office, request, response);
  if (url.pathname.startsWith('/__sim/')) {
    const text = await bodyText(request);
    await sendAnswer(response, control(office, method, url.pathname, url.searchParams, text), 0);
    return;
  }
  if (url.pathname === TOKEN_PATH && method === 'POST') return answerToken(office, request, response, url);
  const [first, ...others] = isLogin(url.pathname) ? office.tenants.filter(({ flavour }) => flavour !== 'cloud') : [];
  if (first) return answerLogin([first, ...others], request, response, url);
  return answerApi(office, request, response, url);
}

async function listen(server: Server, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/**
 * Starts ManageEngine Patch Manager Plus on 127.0.0.1: token endpoint, patch API and `/__sim/`.
 * @throws Error for an unknown profile or scenario, and when the port is taken.
 */
export async function startManageEngine(options: ManageEngineOptions = {}): Promise<ManageEngine> {
  const { port = 0, now = Date.now, ...first } = options;
  const tenants = new Map<string, Tenant>();
  const addresses = { url: '' };
  const office: Office = {
    slack: new SlackInbox(),
    get tenants() {
      return [...tenants.values()];
    },
    tenant(clientId = DEFAULT_CLIENT_ID) {
      const tenant = tenants.get(clientId);
      if (!tenant) throw new Error(`unknown tenant "${clientId}"; known tenants: ${[...tenants.keys()].join(', ')}`);
      return tenant;
    },
    addTenant(tenant: TenantOptions) {
      if (tenants.has(tenant.client_id)) throw new Error(`tenant "${tenant.client_id}" exists already`);
      const added = new Tenant(tenant, addresses.url, now);
      tenants.set(tenant.client_id, added);
      return added;
    },
  };
  const server = createServer((request, response) => {
    answer(office, request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
  server.keepAliveTimeout = 60_000;
  const url = await listen(server, port);
  addresses.url = url;
  try {
    office.addTenant({ client_id: DEFAULT_CLIENT_ID, ...first });
  } catch (error) {
    server.close();
    throw error;
  }
  return {
    ...office,
    get tenants() {
      return office.tenants;
    },
    url,
    config: { ...office.tenant().config },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
