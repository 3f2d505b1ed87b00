/** What stands before every endpoint: token, project, and how much at once. */
import type { LoggedCall } from './call-log.ts';
import { Refusal } from './refusal.ts';
import type { Route } from './routes.ts';
import { PROJECT, type Site } from './site.ts';

/** What is looked at. */
export interface Arrival {
  readonly authorization: string | undefined;
  /** As the path names it; undefined where it names none. */
  readonly project: string | undefined;
  readonly route: Route | undefined;
}

export const RATE_TEXT = 'Too many requests, rate limit of the project exceeded';
const CONCURRENCY_TEXT = 'Too many concurrent requests for this identity';

/** Why a request is not let in; undefined when it is. Throttled requests count too, as the vendor says. */
export function barrierFor(site: Site, call: LoggedCall, arrival: Arrival): Refusal | undefined {
  const { settings } = site;
  const { authorization, project, route } = arrival;
  const inWork = route === undefined ? 0 : site.log.enter(call, route.name);
  if (!site.tokens.admits(authorization, call.at, settings)) return new Refusal(401, 'Unauthorized');
  if (project !== undefined && project !== PROJECT) {
    return new Refusal(settings.unknown_project, settings.unknown_project === 401 ? 'Unauthorized' : 'Forbidden');
  }
  if (settings.parallel_limit > 0 && call.parallel > settings.parallel_limit) {
    return new Refusal(429, CONCURRENCY_TEXT);
  }
  if (inWork > (route?.parallel ?? Infinity))
    return new Refusal(429, `${CONCURRENCY_TEXT}: ${route?.parallel} at most`);
  return site.rate.take(call.at, settings.requests_per_second) ? undefined : new Refusal(429, RATE_TEXT);
}
