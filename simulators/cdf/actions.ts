/** Everything that can go wrong with CDF. Durations are real milliseconds unless named otherwise. */
import type { FaultRule, FaultTraits, FaultVocabulary } from '../faults.ts';

export type Action =
  /** An error in the form of its endpoint; `body` makes it a gateway's page, or nothing. */
  | {
      readonly type: 'status';
      readonly status: number;
      readonly message?: string;
      readonly body?: 'json' | 'html' | 'empty';
      /** How it names a wait of `seconds` (60); not at all when absent. */
      readonly retry_after?: 'seconds' | 'date';
      readonly seconds?: number;
      /** The request is carried out before it fails. */
      readonly stored?: boolean;
    }
  /** The answer begins after `ms`. */
  | { readonly type: 'delay'; readonly ms: number }
  /** No answer ever; the connection stays open. */
  | { readonly type: 'hang'; readonly stored?: boolean }
  /** The connection ends before the headers. */
  | { readonly type: 'close'; readonly stored?: boolean }
  /** The request is carried out, and the JSON stops after `after_bytes` (drawn); with `reset` the connection too. */
  | { readonly type: 'truncate'; readonly after_bytes?: number; readonly reset?: boolean }
  /** An error names only the first `keep` (0) of what is missing or duplicated. */
  | { readonly type: 'names'; readonly keep?: number }
  /** Before the request is looked at, somebody deletes what has such an external id: assets with all below them. */
  | { readonly type: 'vanish'; readonly external_id?: string; readonly prefix?: string };

export type Rule = FaultRule<Action>;
export type ActionType = Action['type'];
export type ActionOf<T extends ActionType> = Extract<Action, { readonly type: T }>;

export const API = '^/api/';
const EVERYTHING = '^/';

function replaces(parameters: readonly string[]): FaultTraits<Action> {
  return { path: EVERYTHING, alters: false, parameters };
}

function alters(path: string, parameters: readonly string[]): FaultTraits<Action> {
  return { path, alters: true, parameters };
}

export const VOCABULARY: FaultVocabulary<Action> = {
  status: replaces(['status', 'message', 'body', 'retry_after', 'seconds', 'stored']),
  delay: alters(EVERYTHING, ['ms']),
  hang: replaces(['stored']),
  close: replaces(['stored']),
  truncate: replaces(['after_bytes', 'reset']),
  names: alters(API, ['keep']),
  vanish: alters(API, ['external_id', 'prefix']),
};

/** Names that a rule's action may have. */
export const ACTION_TYPES = Object.keys(VOCABULARY) as readonly ActionType[];
