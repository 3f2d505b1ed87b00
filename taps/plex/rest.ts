/** Asking the REST API: bare lists and single records. No `limit`, no `offset`: Plex ignores them and sends everything again. */
import type { RowsPath } from '../../http/body.ts';
import { answer, type HttpRequest } from '../../http/exchange.ts';
import { HttpFailure } from '../../http/judge.ts';
import type { Json } from '../../singer/lossless.ts';
import type { Api } from './connection.ts';
import { objectsIn, type VendorRow } from './records.ts';
import { turnAfter } from './turns.ts';

/** One question. */
export interface Question {
  readonly stream: string;
  /** Path with its leading slash. */
  readonly path: string;
  readonly query?: HttpRequest['query'];
  /** The row of another list that the answer belongs to. */
  readonly parent?: string;
}

/** Plex documents a bare array; clients have also seen it inside `data`. */
const ROWS: RowsPath = [[], ['data']];

const TENANTS = '/mdm/v1/tenants';

function requestFor(api: Api, { stream, path, query, parent }: Question): HttpRequest {
  return {
    url: `${api.baseUrl}${path}`,
    ...(query !== undefined && { query }),
    where: { stream, path, ...(parent !== undefined && { parent }) },
    // Whoever asks tells of the failure, or counts it among those of its parents.
    quiet: true,
    // That there is nothing at a parent is no surprise.
    ...(parent !== undefined && { probe: true }),
  };
}

/** True for an answer that was no list at all, which Plex has been seen to send now and then. */
function isMisshapen(thrown: unknown): boolean {
  return thrown instanceof HttpFailure && thrown.type === 'contract_error' && (thrown.where.status ?? 500) < 400;
}

/**
 * Asks for a list and resolves once its answer is known to be whole; the rows come in groups. An answer that is no list is
 * asked for once more.
 * @throws HttpFailure when the list cannot be had.
 */
export async function list(api: Api, question: Question): Promise<AsyncGenerator<readonly VendorRow[]>> {
  const ask = async () => {
    const groups = api.exchange({ ...requestFor(api, question), rows: ROWS });
    return { groups, first: await groups.next() };
  };
  const { groups, first } = await ask().catch((thrown: unknown) => {
    if (isMisshapen(thrown)) return ask();
    throw thrown;
  });
  return rowsFrom(groups, first);
}

async function* rowsFrom(
  groups: AsyncGenerator<readonly Json[], unknown>,
  first: IteratorResult<readonly Json[], unknown>,
): AsyncGenerator<readonly VendorRow[]> {
  try {
    let seen = 0;
    for (let step = first; step.done !== true; step = await groups.next()) {
      yield objectsIn(step.value);
      seen += 1;
      await turnAfter(seen);
    }
  } finally {
    await groups.return({ value: null, found: false });
  }
}

/** A whole list, for short ones. @throws HttpFailure when it cannot be had. */
export async function wholeList(api: Api, question: Question): Promise<readonly VendorRow[]> {
  const rows: VendorRow[] = [];
  for await (const group of await list(api, question)) rows.push(...group);
  return rows;
}

/** A single record. @throws HttpFailure when it cannot be had; with status 404 there is none. */
export function record(api: Api, question: Question): Promise<VendorRow> {
  return answer(api.exchange, { ...requestFor(api, question), object: [] });
}

/**
 * Whether the key is good at all: Plex refuses a bad key and a product that is not subscribed in the same words, and the
 * list of tenants is open to every key.
 */
export async function keyWorks(api: Api): Promise<boolean> {
  try {
    await wholeList(api, { stream: 'tenants', path: TENANTS });
    return true;
  } catch (thrown) {
    if (!(thrown instanceof HttpFailure)) throw thrown;
    return thrown.where.status !== 401 && thrown.where.status !== 403;
  }
}
