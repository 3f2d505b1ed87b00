/** Everything that can go wrong with Plex. Durations are real milliseconds unless named otherwise. */
import type { FaultRule, FaultTraits, FaultVocabulary } from '../faults.ts';

export type Action =
  /** An error in the body of its API; `body` makes it a gateway's page, or nothing. */
  | {
      readonly type: 'status';
      readonly status: number;
      readonly code?: string;
      readonly message?: string;
      readonly body?: 'json' | 'html' | 'empty';
      /** How it names a wait of `seconds` (60); not at all when absent. */
      readonly retry_after?: 'seconds' | 'date';
      readonly seconds?: number;
    }
  /** The answer begins after `ms`. */
  | { readonly type: 'delay'; readonly ms: number }
  /** The body comes in pieces of `bytes` (1,024), each `ms` (20) after the last. */
  | { readonly type: 'drip'; readonly bytes?: number; readonly ms?: number }
  /** No answer ever; the connection stays open. */
  | { readonly type: 'hang' }
  /** The connection ends before the headers. */
  | { readonly type: 'close' }
  /** The JSON stops after `after_bytes` (drawn); with `reset` the connection ends there, else the message does. */
  | { readonly type: 'truncate'; readonly after_bytes?: number; readonly reset?: boolean }
  /** After `calls` REST calls the key is dead. */
  | { readonly type: 'keyExpires'; readonly calls: number }
  /** `object` instead of an array, the array inside `data`, a `field` that is missing, or one more. */
  | { readonly type: 'wrongShape'; readonly kind?: 'object' | 'data' | 'missing' | 'extra'; readonly field?: string }
  /** A data source gives `rows` rows at most, and says that it cut. */
  | { readonly type: 'rowLimit'; readonly rows: number };

export type Rule = FaultRule<Action>;
export type ActionType = Action['type'];
export type ActionOf<T extends ActionType> = Extract<Action, { readonly type: T }>;

const REST = '^/(?!api/)';
const DATA_SOURCES = '^/api/datasources/';
const BOTH = '^/';

function replaces(path: string, parameters: readonly string[] = []): FaultTraits<Action> {
  return { path, alters: false, parameters };
}

function alters(path: string, parameters: readonly string[]): FaultTraits<Action> {
  return { path, alters: true, parameters };
}

/** The vocabulary of one server. `calls` counts the REST calls of its key so far, the present one included. */
export function vocabularyFor(calls: () => number): FaultVocabulary<Action> {
  return {
    status: replaces(BOTH, ['status', 'code', 'message', 'body', 'retry_after', 'seconds']),
    delay: alters(BOTH, ['ms']),
    drip: alters(BOTH, ['bytes', 'ms']),
    hang: replaces(BOTH),
    close: replaces(BOTH),
    truncate: replaces(BOTH, ['after_bytes', 'reset']),
    keyExpires: {
      ...replaces(REST, ['calls']),
      holds: (action) => action.type === 'keyExpires' && calls() > action.calls,
    },
    wrongShape: alters(REST, ['kind', 'field']),
    rowLimit: alters(DATA_SOURCES, ['rows']),
  };
}

/** Names that a rule's action may have. */
export const ACTION_TYPES = Object.keys(vocabularyFor(() => 0)) as readonly ActionType[];
