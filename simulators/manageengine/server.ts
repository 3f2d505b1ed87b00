import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LoggedRequest } from '../request-log.ts';
import { control, type Office } from './control.ts';
import { type Answer, JSON_AS_TEXT } from './envelopes.ts';
import { invalidClient } from './oauth.ts';
import { type Outcome, serveApi, serveToken } from './serve.ts';
import { Tenant, type TenantOptions } from './tenant.ts';

/** The tenant that exists from the start. */
export const DEFAULT_CLIENT_ID = '1000.SIMULATOR';

const TOKEN_PATH = '/oauth/v2/token';

export interface ManageEngineOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** `small` (default) or `full`. */
  readonly profile?: string;
  /** Decides every generated value and every drawn fault; 1 by default. */
  readonly seed?: number;
  /** `happy` by default. */
  readonly scenario?: string;
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

/** Sends whole, or in pieces that reach the client one by one. */
async function sendBody(response: ServerResponse, body: Buffer, chunkBytes: number): Promise<void> {
  if (chunkBytes === 0) {
    response.end(body);
    return;
  }
  for (let at = 0; at < body.length && !response.destroyed; at += chunkBytes) {
    await new Promise<void>((resolve) => {
      response.write(body.subarray(at, at + chunkBytes), () => setImmediate(resolve));
    });
  }
  response.end();
}

async function sendAnswer(response: ServerResponse, answer: Answer, chunkBytes: number): Promise<void> {
  const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
  response.writeHead(answer.status, {
    'content-type': JSON_AS_TEXT,
    ...answer.headers,
    'content-length': body.length,
  });
  await sendBody(response, body, chunkBytes);
}

/** Sends the headers and the first bytes, then resets the connection. */
function resetAfter(response: ServerResponse, answer: Answer | undefined, bytes: number): void {
  const reset = (): void => {
    response.socket?.resetAndDestroy();
  };
  if (!answer) {
    reset();
    return;
  }
  const body = Buffer.from(answer.body);
  response.writeHead(answer.status, { 'content-type': JSON_AS_TEXT, 'content-length': body.length });
  response.write(body.subarray(0, Math.min(bytes, body.length - 1)), () => setImmediate(reset));
}

async function carryOut(
  response: ServerResponse,
  outcome: Outcome,
  entry: LoggedRequest,
  tenant: Tenant,
): Promise<void> {
  if (outcome.kind === 'hang') return;
  if (outcome.kind === 'reset') {
    resetAfter(response, outcome.answer, outcome.afterBytes);
    return;
  }
  response.once('finish', () => {
    entry.finished = true;
  });
  const delayMs = tenant.settings.latency_ms + outcome.delayMs;
  if (delayMs > 0) {
    // Unreferenced, so that a closed simulator does not keep its process waiting.
    await new Promise<void>((resolve) => setTimeout(resolve, delayMs).unref());
    if (response.destroyed) return;
  }
  entry.status = outcome.answer.status;
  await sendAnswer(response, outcome.answer, tenant.settings.chunk_bytes);
}

/** The token of an `Authorization` header, whatever its prefix, and whether the prefix is Bearer. */
function tokenOf(request: IncomingMessage): { readonly token: string; readonly bearer: boolean } {
  const [, prefix, token] = /^(Zoho-oauthtoken|Bearer) (.+)$/.exec(request.headers.authorization ?? '') ?? [];
  return { token: token ?? '', bearer: prefix === 'Bearer' };
}

async function answerToken(
  office: Office,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const form = new URLSearchParams([...url.searchParams, ...new URLSearchParams(await bodyText(request))]);
  const clientId = form.get('client_id') ?? '';
  const known = office.tenants.find((tenant) => tenant.credentials.client_id === clientId);
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
  const { token, bearer } = tokenOf(request);
  const tenant = office.tenants.find(({ tokens }) => tokens.knows(token)) ?? office.tenant();
  const query = url.searchParams;
  const entry = tenant.log.open({
    at: tenant.now,
    tenant: tenant.credentials.client_id,
    method: request.method ?? 'GET',
    path: url.pathname,
    query,
    page: /^\d{1,9}$/.test(query.get('page') ?? '') ? Number(query.get('page')) : null,
  });
  const shown = bearer && !tenant.settings.accept_bearer ? '' : token;
  await carryOut(response, serveApi(tenant, entry, query, shown), entry, tenant);
}

async function answer(office: Office, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  if (url.pathname.startsWith('/__sim/')) {
    const text = await bodyText(request);
    await sendAnswer(response, control(office, request.method ?? 'GET', url.pathname, url.searchParams, text), 0);
    return;
  }
  if (url.pathname === TOKEN_PATH && request.method === 'POST') return answerToken(office, request, response, url);
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
