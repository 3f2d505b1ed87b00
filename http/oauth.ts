/** Zoho OAuth 2.0 access tokens from a long-lived refresh token. */
import { ConnectorError } from '../singer/errors.ts';
import type { Json } from '../singer/lossless.ts';
import type { Run } from '../singer/stream.ts';
import type { Auth, RenewReason } from './auth.ts';
import { answer, type Exchange } from './exchange.ts';
import { fieldOf, HttpFailure, type Ruling } from './judge.ts';
import type { Turns } from './throttle.ts';

/** Zoho allows 10 access tokens per refresh token in 10 minutes and then blocks for the rest of the window; we stop short of it. */
export const TOKEN_REQUESTS_PER_WINDOW = 8;
export const TOKEN_WINDOW_MS = 600_000;

/** Life of a token when the server does not say. Short, so that a wrong guess costs a refresh and not a refused page. Seconds. */
const ASSUMED_LIFE = 60;

const FATAL: Readonly<Record<string, string>> = {
  invalid_code: 'the refresh token is wrong or was revoked: create a new one in the API console of your data centre',
  invalid_client: 'client_id is unknown to this accounts server: check client_id and the data centre',
  invalid_client_secret: 'client_secret does not belong to client_id',
  invalid_redirect_uri: 'the redirect address of the client does not match',
  invalid_oauthscope: 'the client lacks a scope: create the refresh token with the scopes that docs/tap-pmp.md lists',
};

/**
 * Judges a token reply. Zoho sends its OAuth errors with status 200 as well as 400, so only a body with an
 * `access_token` is a success.
 */
export function judgeToken(envelope: Json): Ruling | undefined {
  if (fieldOf(envelope, 'access_token')) return undefined;
  const error = fieldOf(envelope, 'error') ?? 'no access_token in the answer';
  const hint = FATAL[error.toLowerCase()];
  if (hint !== undefined)
    return { reaction: 'fail', type: 'contract_error', message: `the accounts server refused: ${error}`, hint };
  if (/access denied|too many/i.test(`${error} ${fieldOf(envelope, 'error_description') ?? ''}`)) {
    return {
      reaction: 'throttle',
      type: '429_rate_limit',
      message: 'the accounts server says that too many tokens were requested',
    };
  }
  return { reaction: 'retry', type: 'contract_error', message: `the accounts server answered: ${error}` };
}

/** Keeps token requests, repeated ones too, within Zoho's limit. */
export class TokenBudget implements Turns {
  readonly #run: Pick<Run, 'clock' | 'log'>;
  readonly #maxWait: number;
  readonly #requests: number[] = [];

  /** `maxWait`: longest wait for the budget, in milliseconds. */
  constructor(maxWait: number, run: Pick<Run, 'clock' | 'log'>) {
    this.#maxWait = maxWait;
    this.#run = run;
  }

  /** @throws ConnectorError `auth` when the next token is further away than `maxWait`. */
  async turn(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#run;
    for (;;) {
      const now = clock.now();
      while (this.#requests[0] !== undefined && this.#requests[0] <= now - TOKEN_WINDOW_MS) this.#requests.shift();
      const oldest = this.#requests[0];
      if (this.#requests.length < TOKEN_REQUESTS_PER_WINDOW || oldest === undefined) break;
      const wait = oldest + TOKEN_WINDOW_MS - now;
      if (wait > this.#maxWait) {
        throw new ConnectorError(
          'auth',
          `${TOKEN_REQUESTS_PER_WINDOW} tokens were used up within 10 minutes and the next is ${Math.ceil(wait / 1000)} s away`,
          {},
          {
            hint: 'what was confirmed is safe; run again later, or look why tokens live so short',
          },
        );
      }
      log.info('token_budget', `waiting ${Math.ceil(wait / 1000)} s: Zoho limits tokens per 10 minutes`, {
        wait_seconds: wait / 1000,
      });
      await clock.sleep(wait, signal);
    }
    this.#requests.push(clock.now());
  }

  ended(): void {
    // What counts is that a token was asked for, however it ended.
  }
}

export interface ZohoSettings {
  /** `https://accounts.zoho.<data centre>`. */
  readonly accountsUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshToken: string;
  /** Share of a token's life after which it is replaced before use. */
  readonly refreshAt: number;
}

interface Token {
  readonly value: string;
  /** Clock time of its creation and the share of its life after which it is replaced. Milliseconds. */
  readonly created: number;
  readonly renewAt: number;
}

/** Keeps one access token in memory and replaces it in time; concurrent askers share one request. */
export class ZohoAuth implements Auth {
  readonly #settings: ZohoSettings;
  readonly #exchange: Exchange;
  readonly #run: Run;
  #token: Token | undefined;
  #pending: Promise<Token> | undefined;

  /** `exchange` must judge with `judgeToken`, take its turns from a `TokenBudget` and carry no auth layer. */
  constructor(settings: ZohoSettings, exchange: Exchange, run: Run) {
    this.#settings = settings;
    this.#exchange = exchange;
    this.#run = run;
  }

  async headers(): Promise<Readonly<Record<string, string>>> {
    const { clock } = this.#run;
    let token = this.#token;
    if (token === undefined) token = await this.#refresh('batch_start');
    else if (clock.now() >= token.renewAt) token = await this.#refresh('proactive');
    // Zoho documents this prefix although the token reply says `Bearer`.
    return { authorization: `Zoho-oauthtoken ${token.value}` };
  }

  async renew(): Promise<void> {
    await this.#refresh('401');
  }

  #refresh(reason: RenewReason): Promise<Token> {
    this.#pending ??= this.#request(reason).finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #request(reason: RenewReason): Promise<Token> {
    const { clock, log } = this.#run;
    const { accountsUrl, clientId, clientSecret, refreshToken, refreshAt } = this.#settings;
    const age = () => (this.#token === undefined ? null : Math.round((clock.now() - this.#token.created) / 1000));
    try {
      const reply = await answer(this.#exchange, {
        method: 'POST',
        url: new URL('/oauth/v2/token', accountsUrl).href,
        form: {
          grant_type: 'refresh_token',
          client_id: clientId,
          client_secret: clientSecret,
          refresh_token: refreshToken,
        },
        object: [],
        where: { url: '/oauth/v2/token' },
      });
      const value = fieldOf(reply, 'access_token') ?? '';
      log.hide(value);
      this.#count('ok');
      const life = Number(fieldOf(reply, 'expires_in_sec', 'expires_in') ?? ASSUMED_LIFE);
      log.info('token_refresh', 'token refreshed', {
        reason,
        success: true,
        token_age_seconds: age(),
        expires_in_seconds: life,
      });
      const created = clock.now();
      this.#token = {
        value,
        created,
        renewAt: created + (Number.isFinite(life) && life > 0 ? life : ASSUMED_LIFE) * 1000 * refreshAt,
      };
      return this.#token;
    } catch (thrown) {
      if (!(thrown instanceof ConnectorError)) throw thrown;
      this.#count(thrown instanceof HttpFailure && thrown.reaction === 'fail' ? 'refused' : 'failed');
      log.warn('token_refresh', `no token: ${thrown.message}`, { reason, success: false, token_age_seconds: age() });
      if (!(thrown instanceof HttpFailure)) throw thrown;
      const network = thrown.type === 'network_error' || thrown.type === 'network_timeout';
      throw new ConnectorError(
        network ? 'network' : 'auth',
        `cannot get an access token from ${new URL(accountsUrl).host}: ${thrown.message}`,
        thrown.where,
        {
          hint: thrown.hint ?? 'check accounts_url (or data_center) and try again later',
          cause: thrown,
        },
      );
    }
  }

  #count(outcome: 'ok' | 'refused' | 'failed'): void {
    const { metrics } = this.#run;
    metrics.count('tapworks_token_requests_total', 'Access tokens asked for.', { outcome, program: metrics.program });
  }
}
