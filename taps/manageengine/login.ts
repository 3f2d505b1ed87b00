/** Signing in to a server on premises with a user's name and password. */
import type { Auth } from '../../http/auth.ts';
import { answer, type Exchange } from '../../http/exchange.ts';
import { fieldOf, HttpFailure } from '../../http/judge.ts';
import { ConnectorError } from '../../singer/errors.ts';
import { isObject, type Json } from '../../singer/lossless.ts';
import type { Run } from '../../singer/stream.ts';

/** ManageEngine documents this path for all builds; newer ones take 1.4 too. */
const LOGIN = '/api/1.3/desktop/authentication';

export interface LoginSettings {
  readonly baseUrl: string;
  readonly username: string;
  readonly password: string;
  /** Windows domain of the user; absent for a user that the product itself keeps. */
  readonly domain: string | undefined;
}

/**
 * Keeps the token of one sign-in in memory. ManageEngine tells no life time: it is used until the server refuses it,
 * then the user is signed in once more.
 */
export class LoginAuth implements Auth {
  readonly #settings: LoginSettings;
  readonly #exchange: Exchange;
  readonly #run: Pick<Run, 'log'>;
  #token: Promise<string> | undefined;

  /** `exchange` must carry no auth layer. */
  constructor(settings: LoginSettings, exchange: Exchange, run: Pick<Run, 'log'>) {
    this.#settings = settings;
    this.#exchange = exchange;
    this.#run = run;
  }

  async headers(): Promise<Readonly<Record<string, string>>> {
    this.#token ??= this.#signIn('batch_start');
    return { authorization: await this.#token };
  }

  async renew(): Promise<void> {
    this.#token = this.#signIn('401');
    await this.#token;
  }

  /** @throws ConnectorError `auth` when the user is refused or has to give a one-time code. */
  async #signIn(reason: string): Promise<string> {
    const { baseUrl, username, password, domain } = this.#settings;
    const encoded = Buffer.from(password).toString('base64');
    this.#run.log.hide(encoded);
    try {
      const response = await answer(this.#exchange, {
        method: 'POST',
        url: new URL(LOGIN, baseUrl).href,
        form: {
          username,
          // ManageEngine asks for base64 here: a spelling, not a protection.
          password: encoded,
          auth_type: domain === undefined ? 'local_authentication' : 'ad_authentication',
          ...(domain !== undefined && { domainName: domain }),
        },
        object: ['message_response', 'authentication'],
        where: { path: LOGIN },
      });
      const token = tokenIn(response);
      this.#run.log.hide(token);
      this.#run.log.info('token_refresh', 'signed in', { reason, success: true });
      return token;
    } catch (thrown) {
      this.#token = undefined;
      if (!(thrown instanceof ConnectorError)) throw thrown;
      this.#run.log.warn('token_refresh', `not signed in: ${thrown.message}`, { reason, success: false });
      if (!(thrown instanceof HttpFailure) || thrown.code === 'network') throw thrown;
      throw new ConnectorError('auth', `cannot sign in to ${new URL(baseUrl).host}: ${thrown.message}`, thrown.where, {
        hint: 'check username, password and domain, or set api_token instead',
        cause: thrown,
      });
    }
  }
}

/** The token in a sign-in answer; builds spell it `auth_token` or `authtoken`. */
function tokenIn(response: { readonly [key: string]: Json }): string {
  const data: Json = isObject(response.auth_data) ? response.auth_data : response;
  const token = fieldOf(data, 'auth_token', 'authtoken');
  if (token !== undefined && token !== '') return token;
  const twoFactor = JSON.stringify(response).toLowerCase().includes('otp');
  throw new ConnectorError(
    'auth',
    twoFactor ? 'the server wants a one-time code for this user' : 'the sign-in answer holds no token',
    { path: LOGIN },
    { hint: 'create an API key for a user without two-factor sign-in and set api_token' },
  );
}
