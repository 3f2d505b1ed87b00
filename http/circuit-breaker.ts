/** Stops asking a part of a server that keeps failing, and tries it again later. */
import { ConnectorError } from '../singer/errors.ts';
import type { Clock } from '../singer/io.ts';
import type { Exchange, HttpRequest } from './exchange.ts';
import { HttpFailure } from './judge.ts';

export interface BreakerSettings {
  /** Requests in a row that failed for the server's reasons, after which it is not asked any more. */
  readonly failures: number;
  /** Milliseconds until one request may try again. */
  readonly pause: number;
}

interface Circuit {
  failures: number;
  /** When it opened; undefined while it is closed. */
  openedAt: number | undefined;
}

/** Failures of the server or of the way to it. A refusal is an answer: the server is well. */
function isOutage(thrown: unknown): boolean {
  return (
    thrown instanceof HttpFailure &&
    thrown.reaction !== 'unavailable' &&
    ['5xx_server_error', 'network_timeout', 'network_error', 'empty_response', 'html_response'].includes(thrown.type)
  );
}

/**
 * Wraps an exchange, whose requests have all their attempts behind them when they fail. `groupOf` names the part of the
 * server that a request belongs to; each has a circuit of its own. Requests that are not sent fail like those before.
 */
export function withBreaker(
  exchange: Exchange,
  groupOf: (request: HttpRequest) => string,
  settings: BreakerSettings,
  clock: Pick<Clock, 'now'>,
): Exchange {
  const circuits = new Map<string, Circuit>();
  return async function* (request) {
    const group = groupOf(request);
    const circuit = circuits.get(group) ?? { failures: 0, openedAt: undefined };
    circuits.set(group, circuit);
    if (circuit.openedAt !== undefined) {
      if (clock.now() - circuit.openedAt < settings.pause) throw notAsked(group, circuit.failures, request);
      // One request tries; those beside it still wait for its answer.
      circuit.openedAt = clock.now();
    }
    try {
      const envelope = yield* exchange(request);
      circuit.failures = 0;
      circuit.openedAt = undefined;
      return envelope;
    } catch (thrown) {
      if (isOutage(thrown)) {
        circuit.failures += 1;
        if (circuit.failures >= settings.failures) circuit.openedAt = clock.now();
      } else if (thrown instanceof ConnectorError) {
        circuit.failures = 0;
        circuit.openedAt = undefined;
      }
      throw thrown;
    }
  };
}

function notAsked(group: string, failures: number, { where }: HttpRequest): HttpFailure {
  const message = `not asked: the last ${failures} requests to ${group} failed`;
  const hint = 'the next run tries again';
  return new HttpFailure({ reaction: 'fail', type: '5xx_server_error', message, hint }, where);
}
