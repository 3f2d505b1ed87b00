/** What a failure means for the stream it happened to. Pure. */
import { HttpFailure } from '../../http/judge.ts';

/**
 * `access`: the key or user may not; `refused`: asked wrongly; `absent`: no such path or record; `outage`: not now;
 * `misshapen`: an answer that is none.
 */
export type FailureKind = 'access' | 'refused' | 'absent' | 'outage' | 'misshapen';

/** The kind of a failed request. Decided on the status; texts change. */
export function kindOf({ type, where }: Pick<HttpFailure, 'type' | 'where'>): FailureKind {
  const { status } = where;
  if (status === 401 || status === 403 || type === '401_unauthorized') return 'access';
  if (status === 404) return 'absent';
  if (type === 'contract_error') return status !== undefined && status >= 400 ? 'refused' : 'misshapen';
  return type === 'json_parse_error' ? 'misshapen' : 'outage';
}

/** True for a failure after which a smaller question may be answered. */
export function isOutage(thrown: unknown): boolean {
  return thrown instanceof HttpFailure && kindOf(thrown) === 'outage';
}
