import { hash } from '../draw.ts';
import { type Answer, errorEnvelope } from './envelopes.ts';
import type { TokenOffice } from './oauth.ts';
import type { Settings } from './settings.ts';

/** Logins of all API versions, and the second step of a two-factor login. */
const LOGIN_PATH = /^\/api\/(1\.[034])\/desktop\/authentication(\/otpValidate)?$/;

/** Who may log in to an on-premises server. All of it is invented. */
export interface Account {
  readonly username: string;
  readonly password: string;
  /** The domain that `ad_authentication` must name. */
  readonly domain: string;
  /** The one-time password that a two-factor login takes. */
  readonly otp: string;
}

export function accountOf(clientId: string): Account {
  return { username: 'admin', password: `${clientId}-password`, domain: 'EXAMPLE', otp: '123456' };
}

export function isLogin(path: string): boolean {
  return LOGIN_PATH.test(path);
}

/** ManageEngine documents base64, which hides nothing and is refused when left out. */
function passwordIn(form: URLSearchParams): string {
  return Buffer.from(form.get('password') ?? '', 'base64').toString('utf8');
}

/** Whether the form names this account with its password. */
export function namesAccount(form: URLSearchParams, { username, password }: Account): boolean {
  return form.get('username') === username && passwordIn(form) === password;
}

/** The login of one tenant's server. */
export class LoginOffice {
  readonly #seed: number;
  readonly #account: Account;
  readonly #tokens: TokenOffice;
  readonly #waiting = new Set<string>();
  #started = 0;

  constructor(seed: number, account: Account, tokens: TokenOffice) {
    this.#seed = seed;
    this.#account = account;
    this.#tokens = tokens;
  }

  /** Answers a login, or the one-time password that follows it. */
  answer(path: string, form: URLSearchParams, settings: Settings): Answer {
    const [, version = '1.4', second] = LOGIN_PATH.exec(path) ?? [];
    return second === undefined ? this.#login(version, form, settings) : this.#validate(version, form, settings);
  }

  #login(version: string, form: URLSearchParams, settings: Settings): Answer {
    const type = form.get('auth_type');
    if (type !== 'local_authentication' && type !== 'ad_authentication') {
      return errorEnvelope('10001', 'auth_type must be local_authentication or ad_authentication');
    }
    const foreign = type === 'ad_authentication' && form.get('domainName') !== this.#account.domain;
    if (foreign || !namesAccount(form, this.#account)) {
      return errorEnvelope('10001', 'Invalid user name or password');
    }
    if (!settings.two_factor) return this.#welcome(version, settings);
    this.#started += 1;
    const unique_userID = `1_${hash(this.#seed, 'login', this.#started)}`;
    this.#waiting.add(unique_userID);
    const two_factor_data = {
      unique_userID,
      OTP_Validation_Required: true,
      is_TwoFactor_Enabled: true,
      message: 'Enter the one-time password',
    };
    return authentication(version, { two_factor_data });
  }

  #validate(version: string, form: URLSearchParams, settings: Settings): Answer {
    const known = this.#waiting.has(form.get('uid') ?? '') && form.get('otp') === this.#account.otp;
    if (!known) return errorEnvelope('10001', 'Invalid one-time password');
    this.#waiting.delete(form.get('uid') ?? '');
    return this.#welcome(version, settings);
  }

  #welcome(version: string, settings: Settings): Answer {
    return authentication(version, {
      user_data: { user_name: this.#account.username, user_id: 1, email: 'admin@example.invalid' },
      auth_data: { [settings.auth_token_key]: this.#tokens.loginToken() },
    });
  }
}

function authentication(version: string, value: Readonly<Record<string, unknown>>): Answer {
  const body = {
    message_type: 'authentication',
    message_response: { authentication: value },
    message_version: version,
    status: 'success',
  };
  return { status: 200, body: JSON.stringify(body) };
}
