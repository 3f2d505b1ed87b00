/** The token endpoint: OAuth2 client credentials, as the identity provider of a project checks them. */
import { hash } from '../draw.ts';
import { ok, type Reply } from './resource.ts';
import type { Settings } from './settings.ts';

/** The client that is known, decided by the seed. */
export interface Client {
  readonly id: string;
  readonly secret: string;
}

export function clientOf(seed: number): Client {
  const part = (index: number): string => hash(seed, 'cdf client', index).toString(16).padStart(8, '0');
  return { id: `sim-client-${part(0)}`, secret: `sim-secret-${part(1)}${part(2)}` };
}

/** The scope that a client asks for where nothing is said. */
export function scopeOf({ scope }: Settings, url: string): string {
  return scope === 'default' ? `${url}/.default` : 'user_impersonation';
}

interface Token {
  readonly expires: number;
  uses: number;
}

export interface TokenRequest {
  readonly method: string;
  readonly contentType: string;
  readonly authorization: string | undefined;
  readonly text: string;
  readonly now: number;
  readonly settings: Settings;
}

/** An error in the words of OAuth2. */
export function tokenError(status: number, error: string, description: string): Reply {
  return { status, body: { error, error_description: description } };
}

function credentials({ authorization }: TokenRequest, form: URLSearchParams): Client {
  const [, encoded] = /^Basic\s+(\S+)$/i.exec(authorization ?? '') ?? [];
  if (encoded === undefined) return { id: form.get('client_id') ?? '', secret: form.get('client_secret') ?? '' };
  const [id = '', ...secret] = Buffer.from(encoded, 'base64').toString().split(':');
  return { id: decodeURIComponent(id), secret: decodeURIComponent(secret.join(':')) };
}

function grantsScope(scope: string | null, { scope: wanted }: Settings): boolean {
  const words = (scope ?? '').split(' ').filter((word) => word !== '');
  if (wanted === 'default') return words.length === 1 && /^https?:\/\/[^/]+\/\.default$/.test(words[0] ?? '');
  return (
    words.includes('user_impersonation') && words.every((word) => ['IDENTITY', 'user_impersonation'].includes(word))
  );
}

export class Tokens {
  readonly #seed: number;
  readonly #tokens = new Map<string, Token>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** How many tokens were given out. */
  get count(): number {
    return this.#tokens.size;
  }

  /** Answers a request for a token. */
  answer(request: TokenRequest): Reply {
    const { method, contentType, text, now, settings } = request;
    if (method !== 'POST') return tokenError(405, 'invalid_request', 'Use POST.');
    if (!contentType.startsWith('application/x-www-form-urlencoded')) {
      return tokenError(400, 'invalid_request', 'The body must be a form.');
    }
    const form = new URLSearchParams(text);
    if (form.get('grant_type') !== 'client_credentials') {
      return tokenError(400, 'unsupported_grant_type', 'Only client_credentials is supported.');
    }
    const given = credentials(request, form);
    const known = clientOf(this.#seed);
    if (given.id !== known.id || given.secret !== known.secret) {
      return tokenError(401, 'invalid_client', 'Client or secret is wrong.');
    }
    if (!grantsScope(form.get('scope'), settings)) {
      return tokenError(403, 'access_denied', 'The client is not allowed to ask for this scope.');
    }
    if (settings.audience !== '' && form.get('audience') !== settings.audience) {
      return tokenError(403, 'access_denied', 'The audience is not allowed.');
    }
    const number = this.#tokens.size + 1;
    const token = `sim-${number}-${hash(this.#seed, 'cdf token', number).toString(16)}`;
    this.#tokens.set(token, { expires: now + settings.token_seconds * 1_000, uses: 0 });
    return ok({ access_token: token, token_type: 'Bearer', expires_in: settings.token_seconds });
  }

  /** Whether a request with this header may come in; counts it as a use of its token. */
  admits(authorization: string | undefined, now: number, { token_requests: most }: Settings): boolean {
    const [, text = ''] = /^Bearer\s+(\S+)$/i.exec(authorization ?? '') ?? [];
    const token = this.#tokens.get(text);
    if (token === undefined || now >= token.expires) return false;
    token.uses += 1;
    return most === 0 || token.uses <= most;
  }
}
