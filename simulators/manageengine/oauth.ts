import { hash } from '../draw.ts';
import type { Answer } from './envelopes.ts';

/** Zoho documents ten access tokens per refresh token in ten minutes … */
const TOKENS_PER_WINDOW = 10;
const WINDOW_MS = 600_000;
/** … and about thirty valid at a time; a further one invalidates the oldest. */
const LIVE_TOKENS = 30;

export interface Credentials {
  readonly client_id: string;
  readonly client_secret: string;
  readonly refresh_token: string;
}

/** Zoho answers most refusals with status 200. */
function refusal(error: string): Answer {
  return { status: 200, body: JSON.stringify({ error }) };
}

/** The client belongs to no tenant, or to another data centre. */
export function invalidClient(): Answer {
  return refusal('invalid_client');
}

/** The refresh token is unknown or was revoked. */
export function invalidCode(): Answer {
  return refusal('invalid_code');
}

/** More access tokens were asked for than the window allows. */
export function accessDenied(): Answer {
  const error_description = 'You have made too many requests continuously. Please try again after some time.';
  return { status: 400, body: JSON.stringify({ error_description, error: 'Access Denied', status: 'failure' }) };
}

/** The access tokens of one tenant. */
export class TokenOffice {
  readonly #seed: number;
  readonly #credentials: Credentials;
  /** Token to the virtual epoch millisecond at which it dies, oldest first. */
  readonly #expiry = new Map<string, number>();
  #windowStart = Number.NEGATIVE_INFINITY;
  #inWindow = 0;
  #issued = 0;
  #refused = 0;

  constructor(seed: number, credentials: Credentials) {
    this.#seed = seed;
    this.#credentials = credentials;
  }

  get counts(): { readonly issued: number; readonly refused: number } {
    return { issued: this.#issued, refused: this.#refused };
  }

  /** Answers a refresh. `expiresIn` is in seconds; `limited` switches the ten-token window. */
  refresh(form: URLSearchParams, now: number, expiresIn: number, limited: boolean): Answer {
    if (form.get('grant_type') !== 'refresh_token') return refusal('unsupported_grant_type');
    if (form.get('client_secret') !== this.#credentials.client_secret) return refusal('invalid_client_secret');
    if (form.get('refresh_token') !== this.#credentials.refresh_token) return invalidCode();
    if (limited && !this.#windowAllows(now)) {
      this.#refused += 1;
      return accessDenied();
    }
    const body = {
      access_token: this.#issue(now + expiresIn * 1_000, now),
      api_domain: 'https://www.zohoapis.example.invalid',
      token_type: 'Bearer',
      expires_in: expiresIn,
    };
    return { status: 200, body: JSON.stringify(body), headers: { 'content-type': 'application/json;charset=UTF-8' } };
  }

  #windowAllows(now: number): boolean {
    if (now >= this.#windowStart + WINDOW_MS) {
      this.#windowStart = now;
      this.#inWindow = 0;
    }
    if (this.#inWindow >= TOKENS_PER_WINDOW) return false;
    this.#inWindow += 1;
    return true;
  }

  /** As long as real ones: 70 characters, "1000." first. */
  #issue(expiry: number, now: number): string {
    this.#issued += 1;
    const part = (name: string): string =>
      [0, 1, 2, 3]
        .map((word) => hash(this.#seed, this.#credentials.client_id, name, this.#issued, word))
        .map((word) => word.toString(16).padStart(8, '0'))
        .join('');
    const token = `1000.${part('left')}.${part('right')}`;
    for (const oldest of this.live(now).slice(0, -(LIVE_TOKENS - 1))) this.kill(oldest);
    this.#expiry.set(token, expiry);
    return token;
  }

  /** Whether the token was ever issued here, dead or alive. */
  knows(token: string): boolean {
    return this.#expiry.has(token);
  }

  accepts(token: string, now: number): boolean {
    return now < (this.#expiry.get(token) ?? Number.NEGATIVE_INFINITY);
  }

  kill(token: string): void {
    if (this.#expiry.has(token)) this.#expiry.set(token, Number.NEGATIVE_INFINITY);
  }

  /** Tokens that work now, oldest first. */
  live(now: number): readonly string[] {
    return [...this.#expiry].filter(([, expiry]) => now < expiry).map(([token]) => token);
  }
}
