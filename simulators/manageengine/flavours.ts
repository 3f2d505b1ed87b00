import { type Answer, errorEnvelope, invalidToken, loginPage, unsupportedEndpoint } from './envelopes.ts';
import type { Settings } from './settings.ts';

/** Which of ManageEngine's servers a tenant is: the cloud, on-premises, or on-premises for many customers. */
export type Flavour = 'cloud' | 'onprem' | 'msp';

export const FLAVOURS: readonly Flavour[] = ['cloud', 'onprem', 'msp'];

/** What a client showed in its `Authorization` header. */
export interface Shown {
  /** What stands before the token; undefined for a bare one. */
  readonly prefix: string | undefined;
  readonly token: string;
}

export function shownIn(header: string | undefined): Shown {
  const [, prefix, token] = /^(?:(\S+) )?(.*)$/.exec(header ?? '') ?? [];
  return { prefix, token: token ?? '' };
}

/** Whether the flavour takes a token with this prefix. On-premises servers want it bare. */
export function takesPrefix(flavour: Flavour, { prefix }: Shown, settings: Settings): boolean {
  if (flavour !== 'cloud') return prefix === undefined;
  return prefix === 'Zoho-oauthtoken' || (prefix === 'Bearer' && settings.accept_bearer);
}

/** How the flavour refuses a token that is unknown, dead or wrongly written. */
export function refusedToken(flavour: Flavour, settings: Settings): Answer {
  if (flavour === 'cloud') return invalidToken();
  if (flavour === 'msp') {
    return { ...errorEnvelope('10002', 'Invalid or expired token'), status: settings.token_refusal_status };
  }
  return { status: 401, body: JSON.stringify({ ErrorCode: '10002', ErrorMsg: 'Invalid or expired token' }) };
}

const API = '/api/1.4/';
/** Paths below `/api/1.4/` that the MSP build lacks when told so. */
const MSP_LACKS = ['allpatches', 'missingpatches', 'supportedpatches', 'systemreport', 'som'];
/** Paths below `/api/1.4/` that few editions have. */
const SEED_PATHS = ['vulnerabilities', 'deploymenttasks', 'patchgroups'];

/** Whether a path ends with one of the names, or goes through one. */
function names(path: string, parts: readonly string[]): boolean {
  return path.split('/').some((part) => parts.includes(part));
}

/** How a server says that it lacks a path, or nothing for one that it has. */
function absent(way: Settings['seed_paths'] | Settings['vuln']): Answer | undefined {
  if (way === 'html') return loginPage();
  if (way === '404') return { ...unsupportedEndpoint(), status: 404 };
  return way === '10022' ? unsupportedEndpoint() : undefined;
}

/** Why a server of this flavour and edition does not answer at a path it could have, or nothing. */
export function unavailable(flavour: Flavour, path: string, settings: Settings): Answer | undefined {
  if (!path.startsWith(API)) {
    if (!names(path, ['vulnerabilities'])) return undefined;
    const lacks = names(path, ['detailedinfo']) && (flavour === 'msp' || !settings.vuln_changes);
    return absent(settings.vuln) ?? (lacks ? unsupportedEndpoint() : undefined);
  }
  if (names(path, SEED_PATHS)) {
    const refused = absent(settings.seed_paths);
    if (refused) return refused;
  }
  if (path === '/api/1.4/desktop/customers') return flavour === 'msp' ? undefined : unsupportedEndpoint();
  if (flavour === 'msp') {
    const { msp_unsupported: lacks } = settings;
    const parts = lacks === true ? MSP_LACKS : lacks === false ? [] : lacks;
    return names(path, parts) ? unsupportedEndpoint() : undefined;
  }
  if (flavour !== 'cloud' || !names(path, ['som'])) return undefined;
  if (settings.missing_scope === 'html') return loginPage();
  return settings.missing_scope === '401' ? missingScope() : undefined;
}

function missingScope(): Answer {
  const body = { code: 'INVALID_OAUTHSCOPE', details: {}, message: 'Invalid oauthscope', status: 'error' };
  return { status: 401, body: JSON.stringify(body) };
}
