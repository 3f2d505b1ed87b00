/** Endpoints that are read once per row of another one, e.g. the report of each system. */
import { ConnectorError } from '../singer/errors.ts';
import type { Row } from '../singer/lossless.ts';
import type { Run } from '../singer/stream.ts';
import type { Http } from './exchange.ts';
import { HttpFailure, isUnreachable } from './judge.ts';
import { Sweep } from './numbered-pages.ts';
import type { NumberedEndpoint, ReadChildren } from './page-reader.ts';
import { EMPTY_SWEEP } from './sweep-state.ts';

/** Everything of one parent, with no limit of pages: what was read in part would have to be read again anyway. */
const WHOLE = { pagesPerRun: 0, checkpointPages: Number.POSITIVE_INFINITY, pagesWithoutTotal: 1 };

/**
 * Reads `endpointOf(parent)` whole for one parent after the other. A parent whose pages stay unreadable is reported
 * among the failures and does not stop the others.
 */
export function childReader(endpointOf: (parent: Row) => NumberedEndpoint, http: Http, run: Run): ReadChildren {
  let known = false;
  return async function* (parents) {
    const read: Row[] = [];
    const failures: Error[] = [];
    for (const parent of parents) {
      run.signal.throwIfAborted();
      const sweep = new Sweep(endpointOf(parent), http, EMPTY_SWEEP, WHOLE, run);
      try {
        for await (const rows of sweep.work()) if (typeof rows !== 'symbol') yield rows;
      } catch (thrown) {
        // An endpoint that has answered for others is there: it does not know this one.
        if (known && thrown instanceof HttpFailure && thrown.reaction === 'unavailable') {
          failures.push(thrown);
          continue;
        }
        // A first page that stays unreadable has left its gap, which says more than that.
        if (!isOfParent(thrown, http)) throw thrown;
      }
      run.signal.throwIfAborted();
      const { gaps, finished } = sweep.state();
      const [gap] = gaps;
      if (finished && gap === undefined) {
        read.push(parent);
        known = true;
      } else {
        const { error_type: type = 'contract_error', error_message: message = 'the list has no end' } = gap ?? {};
        failures.push(
          new HttpFailure({ reaction: 'fail', type, message }, {}, { sample: gap?.response_sample ?? undefined }),
        );
      }
    }
    return { read, failures };
  };
}

/** True for what concerns one parent; false for what concerns the endpoint or the run. */
function isOfParent(thrown: unknown, http: Http): thrown is ConnectorError {
  if (!(thrown instanceof ConnectorError)) return false;
  if (!(thrown instanceof HttpFailure)) return thrown.code === 'upstream';
  if (thrown.reaction === 'login' || thrown.reaction === 'unavailable') return false;
  return http.answered || !isUnreachable(thrown);
}
