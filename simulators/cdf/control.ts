/** The control surface below `/__sim/`. */
import { type Answer, json } from '../plex/answers.ts';
import { type Fields, isObject } from './shapes.ts';
import type { Renewal, Site } from './site.ts';

interface ControlRequest {
  readonly site: Site;
  readonly query: URLSearchParams;
  readonly body: unknown;
  /** Ends the server once this answer has left. */
  readonly stop: () => void;
}

type Handler = (request: ControlRequest) => unknown;

/** The body as an object with these keys at most. */
function fieldsOf(body: unknown, known: readonly string[]): Fields {
  const fields = body ?? {};
  if (!isObject(fields)) throw new Error('send a JSON object');
  const unknown = Object.keys(fields).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new Error(`unknown key "${unknown}"; known keys: ${known.join(', ')}`);
  return fields;
}

function state(site: Site): Fields {
  const { profile, seed, scenario, now, config, faults } = site;
  const requests = site.log.entries.at(-1)?.seq ?? 0;
  return { profile, seed, scenario, now: new Date(now).toISOString(), config, requests, faults };
}

function advance({ site, body }: ControlRequest): unknown {
  const { ms } = fieldsOf(body, ['ms']);
  if (typeof ms !== 'number' || !(ms >= 0)) throw new Error('send {"ms": N}, N milliseconds from 0');
  site.advance(ms);
  return { now: new Date(site.now).toISOString() };
}

function reset({ site, body }: ControlRequest): unknown {
  const fields = fieldsOf(body, ['seed', 'now', 'profile', 'scenario']);
  for (const [key, value] of Object.entries(fields)) {
    const type = key === 'seed' ? 'number' : 'string';
    if (typeof value !== type) throw new Error(`${key} must be a ${type}`);
  }
  site.reset(fields as Renewal);
  return state(site);
}

/** Somebody else deletes objects. */
function vanish({ site, body }: ControlRequest): unknown {
  const { external_id, prefix } = fieldsOf(body, ['external_id', 'prefix']);
  if (typeof prefix === 'string') return { removed: site.project.removeNamed((name) => name.startsWith(prefix)) };
  if (typeof external_id !== 'string') throw new Error('send {"external_id": …} or {"prefix": …}');
  return { removed: site.project.removeNamed((name) => name === external_id) };
}

function requests({ site, query }: ControlRequest): unknown {
  const after = Number(query.get('after') ?? 0);
  if (!Number.isInteger(after)) throw new Error('after is the seq of a request');
  return { requests: site.log.entries.filter(({ seq }) => seq > after) };
}

function addFaults({ site, body }: ControlRequest): unknown {
  const rules: readonly unknown[] = Array.isArray(body) ? body : [body];
  return { ids: rules.flatMap((rule) => site.addFault(rule)) };
}

const HANDLERS: Readonly<Record<string, Handler>> = {
  'GET manifest': ({ site }) => ({ streams: site.manifest }),
  'GET state': ({ site }) => state(site),
  'GET stats': ({ site }) => site.stats,
  'GET requests': requests,
  'POST reset': reset,
  'POST advance': advance,
  'POST vanish': vanish,
  'GET faults': ({ site }) => ({ faults: site.faults }),
  'POST faults': addFaults,
  'DELETE faults': ({ site, query }) => ({ removed: site.engine.remove(query.get('id') ?? undefined) }),
  'GET config': ({ site }) => site.settings,
  'POST config': ({ site, body }) => site.configure(body),
  'POST stop': ({ stop }) => {
    stop();
    return { stopped: true };
  },
};

const TRUTH = 'GET truth/';

/** Calls as the documentation names them. */
export const CONTROL_CALLS: readonly string[] = [...Object.keys(HANDLERS), `${TRUTH}{stream}`].map((name) =>
  name.replace(' ', ' /__sim/'),
);

/** A stream as JSON lines, each with `key` and `fields`. */
function truth({ site, query }: ControlRequest, stream: string): Answer {
  const rows = site.truth(stream, query.get('prefix') ?? '');
  return {
    status: 200,
    headers: { 'content-type': 'application/jsonl' },
    body: { before: '', after: rows.length > 0 ? '\n' : '', between: '\n', rows },
  };
}

/** Answers a `/__sim/` request. */
export function control(
  { site, query, stop }: Omit<ControlRequest, 'body'>,
  method: string,
  path: string,
  text: string,
): Answer {
  const name = `${method} ${path.slice('/__sim/'.length)}`;
  try {
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    const request = { site, query, stop, body };
    if (name.startsWith(TRUTH)) return truth(request, name.slice(TRUTH.length));
    const handler = Object.hasOwn(HANDLERS, name) ? HANDLERS[name] : undefined;
    if (!handler) return json({ error: `nothing at ${method} ${path}`, known: CONTROL_CALLS }, 404);
    return json(handler(request));
  } catch (error) {
    // Whatever the caller sent wrong is reported to the caller; the simulator goes on.
    return json({ error: error instanceof Error ? error.message : String(error) }, 400);
  }
}
