import type { FaultRule, FaultTraits, FaultVocabulary } from '../faults.ts';

/** Everything that can go wrong with ManageEngine. Durations are milliseconds unless named otherwise. */
export type Action =
  /** The token of this request dies, so it gets a 401 and so does its repetition. */
  | { readonly type: 'expireToken' }
  /** 401 whatever the token. */
  | { readonly type: 'unauthorizedLoop' }
  /** Token endpoint: the "Access Denied" body with status 400 (or the given one). */
  | { readonly type: 'refreshLimit'; readonly status?: number }
  /** Token endpoint: `invalid_code` with status 200. */
  | { readonly type: 'refreshDenied' }
  /** 429; `retry_after` says how it names the wait of `seconds` (default: seconds, 1). */
  | { readonly type: 'rate429'; readonly retry_after?: 'seconds' | 'date' | 'none'; readonly seconds?: number }
  /** More than `per_minute` requests in a minute (default 120): 429 for `for_ms` (default 5 minutes). */
  | { readonly type: 'lockout'; readonly per_minute?: number; readonly for_ms?: number; readonly extend?: boolean }
  | { readonly type: 'htmlThrottle' }
  | { readonly type: 'htmlLogin' }
  | { readonly type: 'emptyBody' }
  /** A correct message whose JSON stops at a drawn byte. */
  | { readonly type: 'truncatedJson' }
  /** 503; with `calls` or `seconds` everything below /api answers 503 from then on, for that long. */
  | { readonly type: 'burst503'; readonly calls?: number; readonly seconds?: number }
  /** 500 with the vendor's internal-error body. */
  | { readonly type: 'error500' }
  /** The answer is late by `ms` ± 20 % (default 3,300), in real time. */
  | { readonly type: 'slow'; readonly ms?: number }
  /** No answer ever; the connection stays open. */
  | { readonly type: 'hang' }
  /** The connection is reset, after `after_bytes` of the body if given. */
  | { readonly type: 'reset'; readonly after_bytes?: number }
  | { readonly type: 'errorEnvelope'; readonly code?: string; readonly description?: string }
  /** After this page was served its last `count` rows (default 3) are also the next page's first. */
  | { readonly type: 'duplicateAcrossPages'; readonly count?: number }
  /** After this page was served a row of a later page sits on this or an earlier one. */
  | { readonly type: 'moveSystem'; readonly count?: number }
  /** After this page was served `count` members (default 27) are gone from every list. */
  | { readonly type: 'shrinkTotal'; readonly count?: number }
  /** After this page was served there are `count` more members (default 27). */
  | { readonly type: 'growTotal'; readonly count?: number; readonly at?: 'start' | 'end' }
  /** The requested page size is ignored in favour of `limit` (default: the server's own). */
  | { readonly type: 'wrongLimit'; readonly limit?: number }
  /** After `calls` requests since virtual midnight UTC: the throttle page until the next midnight. */
  | { readonly type: 'dailyQuota'; readonly calls: number }
  /** A string among the rows, or a row with an unknown health code, or with times in seconds. */
  | { readonly type: 'badRow'; readonly kind?: 'nonObject' | 'unknownEnum' | 'secondsTime' };

export type Rule = FaultRule<Action>;
export type ActionType = Action['type'];
export type ActionOf<T extends ActionType> = Extract<Action, { readonly type: T }>;

const API = '^/(api|dcapi)/';
const OAUTH = '^/oauth/';
const DAY = 86_400_000;

/** What conditions of the vocabulary ask about the tenant's own traffic. */
export interface Traffic {
  /** API requests in the last virtual minute, this one included. */
  lastMinute(now: number): number;
  /** API requests since virtual midnight UTC, this one included. */
  today(now: number): number;
}

function replaces(path: string, parameters: readonly string[] = []): FaultTraits<Action> {
  return { path, alters: false, parameters };
}

function alters(parameters: readonly string[] = []): FaultTraits<Action> {
  return { path: API, alters: true, parameters };
}

/** The vocabulary of one tenant, whose traffic decides about lock-out and quota. */
export function vocabularyFor(traffic: Traffic): FaultVocabulary<Action> {
  return {
    expireToken: replaces(API),
    unauthorizedLoop: replaces(API),
    refreshLimit: replaces(OAUTH, ['status']),
    refreshDenied: replaces(OAUTH),
    rate429: replaces(API, ['retry_after', 'seconds']),
    lockout: {
      ...replaces(API, ['per_minute', 'for_ms', 'extend']),
      holds: (action, { now }) => action.type === 'lockout' && traffic.lastMinute(now) > (action.per_minute ?? 120),
      spell: (action, now) => {
        if (action.type !== 'lockout') return undefined;
        const length = action.for_ms ?? 300_000;
        return { scope: API, until: now + length, ...(action.extend ? { extend_ms: length } : {}) };
      },
    },
    htmlThrottle: replaces(API),
    htmlLogin: replaces(API),
    emptyBody: replaces(API),
    truncatedJson: replaces(API),
    burst503: {
      ...replaces(API, ['calls', 'seconds']),
      spell: (action, now) => {
        if (action.type !== 'burst503') return undefined;
        if (action.calls !== undefined) return { scope: API, calls: action.calls - 1 };
        return action.seconds === undefined ? undefined : { scope: API, until: now + action.seconds * 1_000 };
      },
    },
    error500: replaces(API),
    slow: alters(['ms']),
    hang: replaces(API),
    reset: replaces(API, ['after_bytes']),
    errorEnvelope: replaces(API, ['code', 'description']),
    duplicateAcrossPages: alters(['count']),
    moveSystem: alters(['count']),
    shrinkTotal: alters(['count']),
    growTotal: alters(['count', 'at']),
    wrongLimit: alters(['limit']),
    dailyQuota: {
      ...replaces(API, ['calls']),
      holds: (action, { now }) => action.type === 'dailyQuota' && traffic.today(now) > action.calls,
      spell: (_action, now) => ({ scope: API, until: (Math.floor(now / DAY) + 1) * DAY }),
    },
    badRow: alters(['kind']),
  };
}

/** Names that a rule's action may have. */
export const ACTION_TYPES = Object.keys(
  vocabularyFor({ lastMinute: () => 0, today: () => 0 }),
) as readonly ActionType[];
