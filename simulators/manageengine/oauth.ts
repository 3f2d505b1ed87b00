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

/** The code that the authorisation page of a client would hand out; good for one exchange. */
export function grantCodeOf({ client_id }: Credentials): string {
  return `1000.${client_id}-code`;
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

/** The tokens that one tenant's server takes: access tokens in the cloud, login tokens and the API key elsewhere. */
export class TokenOffice {
  readonly #seed: number;
  readonly #credentials: Credentials;
  /** Token to the virtual epoch millisecond at which it dies, oldest first. */
  readonly #expiry = new Map<string, number>();
  #windowStart = Number.NEGATIVE_INFINITY;
  #inWindow = 0;
  #issued = 0;
  #refused = 0;
  #exchanged = false;

  /** `apiToken` is a key that works from the start and for ever. */
  constructor(seed: number, credentials: Credentials, apiToken?: string) {
    this.#seed = seed;
    this.#credentials = credentials;
    if (apiToken !== undefined) this.#expiry.set(apiToken, Number.POSITIVE_INFINITY);
  }

  get counts(): { readonly issued: number; readonly refused: number } {
    return { issued: this.#issued, refused: this.#refused };
  }

  /**
   * Answers a refresh or the exchange of the authorisation code, which brings a refresh token too.
   * `expiresIn` is in seconds; `limited` switches the ten-token window.
   */
  grant(form: URLSearchParams, now: number, expiresIn: number, limited: boolean): Answer {
    const type = form.get('grant_type');
    const exchange = type === 'authorization_code';
    if (!exchange && type !== 'refresh_token') return refusal('unsupported_grant_type');
    if (form.get('client_secret') !== this.#credentials.client_secret) return refusal('invalid_client_secret');
    const known = exchange
      ? form.get('code') === grantCodeOf(this.#credentials) && !this.#exchanged
      : form.get('refresh_token') === this.#credentials.refresh_token;
    if (!known) return invalidCode();
    if (limited && !this.#windowAllows(now)) {
      this.#refused += 1;
      return accessDenied();
    }
    this.#exchanged ||= exchange;
    const body = {
      access_token: this.#accessToken(now + expiresIn * 1_000, now),
      ...(exchange ? { refresh_token: this.#credentials.refresh_token } : {}),
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

  /** Hexadecimal digits of one more token, 32 per part. */
  #digits(...parts: readonly string[]): string[] {
    this.#issued += 1;
    return parts.map((part) =>
      [0, 1, 2, 3]
        .map((word) => hash(this.#seed, this.#credentials.client_id, part, this.#issued, word))
        .map((word) => word.toString(16).padStart(8, '0'))
        .join(''),
    );
  }

  /** As long as real ones: 70 characters, "1000." first. */
  #accessToken(expiry: number, now: number): string {
    const token = `1000.${this.#digits('left', 'right').join('.')}`;
    for (const oldest of this.live(now).slice(0, -(LIVE_TOKENS - 1))) this.kill(oldest);
    this.#expiry.set(token, expiry);
    return token;
  }

  /** A token from the login of an on-premises server, which names no end of its life. */
  loginToken(): string {
    const [digits = ''] = this.#digits('login');
    const token = [8, 12, 16, 20, 32]
      .map((end, at, ends) => digits.slice(ends[at - 1] ?? 0, end))
      .join('-')
      .toUpperCase();
    this.#expiry.set(token, Number.POSITIVE_INFINITY);
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

  /** Everything that was issued dies, an API key excepted. Returns how many tokens died. */
  expire(now: number, apiToken: string | undefined): number {
    const dying = this.live(now).filter((token) => token !== apiToken);
    for (const token of dying) this.kill(token);
    return dying.length;
  }

  /** Tokens that work now, oldest first. */
  live(now: number): readonly string[] {
    return [...this.#expiry].filter(([, expiry]) => now < expiry).map(([token]) => token);
  }
}
