/** The control surface below `/__sim/`. */
import { type Answer, json } from './answers.ts';
import type { Row } from './plant.ts';
import type { Renewal, Site } from './site.ts';

interface ControlRequest {
  readonly site: Site;
  readonly query: URLSearchParams;
  readonly body: unknown;
  /** Ends the server once this answer has left. */
  readonly stop: () => void;
}

type Handler = (request: ControlRequest) => unknown;
type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The body as an object with these keys at most. */
function fieldsOf(body: unknown, known: readonly string[]): Fields {
  const fields = body ?? {};
  if (!isObject(fields)) throw new Error('send a JSON object');
  const unknown = Object.keys(fields).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new Error(`unknown key "${unknown}"; known keys: ${known.join(', ')}`);
  return fields;
}

function state(site: Site): Fields {
  const { profile, seed, scenario, now, config, conduct, faults } = site;
  const requests = site.log.entries.at(-1)?.seq ?? 0;
  return { profile, seed, scenario, now: new Date(now).toISOString(), config, requests, conduct, faults };
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

function mutate({ site, body }: ControlRequest): unknown {
  const { stream, key, patch } = fieldsOf(body, ['stream', 'key', 'patch']);
  if (typeof stream !== 'string' || typeof key !== 'string' || !(patch === null || isObject(patch))) {
    throw new Error('send {"stream": "parts", "key": "…", "patch": {…}}; a patch of null takes the row away');
  }
  return { row: site.records.change(stream, key, patch as Row | null) };
}

function manifest({ site, query }: ControlRequest): unknown {
  return { streams: site.manifest(site.window(query.get('begin'), query.get('end'))) };
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
  'GET manifest': manifest,
  'GET state': ({ site }) => state(site),
  'POST reset': reset,
  'POST advance': advance,
  'POST mutate': mutate,
  'GET faults': ({ site }) => ({ faults: site.faults }),
  'POST faults': addFaults,
  'DELETE faults': ({ site, query }) => ({ removed: site.engine.remove(query.get('id') ?? undefined) }),
  'GET requests': requests,
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
  const window = site.window(query.get('begin'), query.get('end'));
  const rows = site.truth(stream, window, query.get('employee_names') === '1');
  return {
    status: 200,
    headers: { 'content-type': 'application/jsonl' },
    body: { before: '', after: '\n', between: '\n', rows },
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
