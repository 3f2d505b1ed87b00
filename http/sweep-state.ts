import type { JsonSchema } from '../singer/messages.ts';
import type { FailureType } from './judge.ts';

/** A page that stayed unreadable. `total` is what the server reported when it was missed. */
export interface Gap {
  readonly page: number;
  readonly total: number | null;
  readonly error_type: FailureType;
  readonly error_message: string;
  readonly response_sample: string | null;
  readonly attempts: number;
  readonly created_at: string;
}

/** The bookmark of a page-numbered stream. */
export interface SweepState {
  /** Rows per page as the server returns them; null until the first answer. */
  readonly page_size: number | null;
  /** Pages, where several sweeps are told as one, which has no page size. */
  readonly pages?: number;
  /** Rows the server reports, newest figure. */
  readonly total: number | null;
  /** The same when `next_page` and `reread_from` were true: a difference tells how far rows may have slipped since. */
  readonly total_at_next: number | null;
  /** First page of the sweep that was never read. */
  readonly next_page: number;
  /** First page that must be read again because rows may have slipped onto it; absent when none must. */
  readonly reread_from?: number;
  /** Distinct keys read. */
  readonly distinct: number;
  /** What the rows of these keys hold together, where rows hold something that is counted, e.g. patches of systems. */
  readonly weight?: number;
  /** Which keys, while more pages may come (`KeySet.encode`). */
  readonly keys?: readonly string[];
  readonly gaps: readonly Gap[];
  /** Next page of the second look, `done` after it, absent before. */
  readonly second_look?: number | 'done';
  /** True once the last page was reached. */
  readonly finished: boolean;
}

const POSITIVE: JsonSchema = { type: 'integer', minimum: 1 };
const COUNT: JsonSchema = { type: 'integer', minimum: 0 };
const orNull = (schema: JsonSchema): JsonSchema => ({ anyOf: [schema, { type: 'null' }] });

/** What the state file must hold for a page-numbered stream. */
export const SWEEP_STATE_SCHEMA: JsonSchema = {
  type: 'object',
  required: ['page_size', 'total', 'total_at_next', 'next_page', 'distinct', 'gaps', 'finished'],
  properties: {
    page_size: orNull(POSITIVE),
    total: orNull(COUNT),
    total_at_next: orNull(COUNT),
    next_page: POSITIVE,
    reread_from: POSITIVE,
    distinct: COUNT,
    weight: COUNT,
    keys: { type: 'array', items: { type: 'string' } },
    gaps: {
      type: 'array',
      items: {
        type: 'object',
        required: ['page', 'total', 'error_type', 'attempts', 'created_at'],
        properties: {
          page: POSITIVE,
          total: orNull(COUNT),
          error_type: { type: 'string' },
          attempts: POSITIVE,
          created_at: { type: 'string' },
        },
      },
    },
    second_look: { anyOf: [POSITIVE, { const: 'done' }] },
    finished: { type: 'boolean' },
  },
};

export const EMPTY_SWEEP: SweepState = {
  page_size: null,
  total: null,
  total_at_next: null,
  next_page: 1,
  distinct: 0,
  gaps: [],
  finished: false,
};

/** Last page of `total` rows. */
export function lastPage(total: number, size: number): number {
  return Math.ceil(total / size);
}

/** Pages of the sweep; null while they are not known. */
export function pagesOf({ total, page_size: size, pages }: SweepState): number | null {
  return pages ?? (total === null || size === null ? null : lastPage(total, size));
}

/** The last page that was reached. A total that fell may have left it behind the end. */
export function pagesRead(state: SweepState): number {
  return Math.min(state.next_page - 1, pagesOf(state) ?? Number.POSITIVE_INFINITY);
}

/** Rows that open gaps may hold: a page each, the last one the remainder. */
export function gapRows({ gaps, total, page_size: size }: Pick<SweepState, 'gaps' | 'total' | 'page_size'>): number {
  if (total === null || size === null) return 0;
  const last = lastPage(total, size);
  return gaps.reduce((sum, { page }) => sum + (page < last ? size : page === last ? total - (last - 1) * size : 0), 0);
}

/** Share of the reported rows that was read, 0 to 1; 0 while no total is known. */
export function coverage({ distinct, total }: Pick<SweepState, 'distinct' | 'total'>): number {
  return total === null ? 0 : total === 0 ? 1 : Math.min(1, distinct / total);
}

/** True when nothing is left to ask: the sweep ended and no page is missing. */
export function isComplete(state: SweepState | undefined): boolean {
  return state?.finished === true && state.gaps.length === 0;
}
