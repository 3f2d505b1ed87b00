/** What an HTTP client is to the rest of the program: a way to exchange a request for rows. Light: no library behind it. */
import type { Where } from '../singer/errors.ts';
import { isObject, type Json } from '../singer/lossless.ts';
import type { RowGroups, RowsPath } from './body.ts';
import { HttpFailure } from './judge.ts';

/** One request for rows (or, without `rows`, for a whole small answer). */
export interface HttpRequest {
  readonly method?: 'GET' | 'POST';
  /** Absolute address without query. */
  readonly url: string;
  /** A list repeats its name. */
  readonly query?: Readonly<Record<string, string | number | readonly string[]>>;
  /** Sent as `application/x-www-form-urlencoded`. */
  readonly form?: Readonly<Record<string, string>>;
  /** Sent as `application/json`. */
  readonly json?: Json;
  readonly headers?: Readonly<Record<string, string>>;
  /** Where the list of rows stands in the body. */
  readonly rows?: RowsPath;
  /** For errors and log lines. */
  readonly where: Where;
  /** The server may lack this endpoint: an answer that says so is not asked for again and not warned about. */
  readonly probe?: boolean;
  /** Whoever asks tells of the failure that ends this request: the log has it as a detail only. */
  readonly quiet?: boolean;
  /** Ends this request alone, with all its attempts and waits; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Sends a request and hands out its rows in groups, none before the whole answer is known to be good; returns the rest of the body. */
export type Exchange = (request: HttpRequest) => RowGroups;

/** What was sent (attempts), and for how many pages something went wrong and how it ended; for the run's summary. */
export interface HttpStats {
  requests: number;
  retried: number;
  recovered: number;
  lost: number;
}

export interface Http {
  readonly exchange: Exchange;
  readonly stats: HttpStats;
  /** True once any request has brought what was asked for. */
  readonly answered: boolean;
  close(): Promise<void>;
}

/**
 * The object at `object` in the answer of a request that has no rows (the whole answer for an empty path).
 * @throws HttpFailure `contract_error` when there is no object.
 */
export async function answer(
  exchange: Exchange,
  request: HttpRequest & { readonly object: readonly string[] },
): Promise<{ readonly [key: string]: Json }> {
  const groups = exchange(request);
  for (;;) {
    const step = await groups.next();
    if (step.done !== true) continue;
    let value: Json | undefined = step.value.value;
    for (const key of request.object) value = isObject(value) ? value[key] : undefined;
    if (value !== undefined && isObject(value)) return value;
    throw new HttpFailure(
      {
        reaction: 'fail',
        type: 'contract_error',
        message: `the answer has no object at "${request.object.join('.')}"`,
      },
      request.where,
    );
  }
}
