/** Requests that CDF refuses: what a case is, and how it is tried. */
import { expect } from 'vitest';
import { cdf, type Json, make, type Running } from './cdf-client.ts';

export interface Known {
  readonly server: Running;
  readonly set: number;
  readonly root: number;
  readonly child: number;
}

/** A project with an asset tree, an event, two series, a label, a relationship and a pipeline. */
export async function known(): Promise<Known> {
  const server = await cdf();
  const [first] = (await server.post('/datasets/byids', { items: [{ externalId: 'plex_master' }] })).items();
  const set = Number(first?.id);
  const [root, child] = await make(
    server,
    '/assets',
    { externalId: 'root', name: 'Root' },
    { externalId: 'child', name: 'Child', parentExternalId: 'root', metadata: { old: long(6_000) } },
    { externalId: 'grandchild', name: 'Grandchild', parentExternalId: 'child' },
    { externalId: 'other', name: 'Other root' },
  );
  await make(server, '/events', { externalId: 'event', startTime: 10, endTime: 20 });
  await make(server, '/timeseries', { externalId: 'number' }, { externalId: 'text', isString: true });
  await make(server, '/labels', { externalId: 'label', name: 'Label' });
  await make(server, '/relationships', relation('relation'));
  return { server, set, root: Number(root?.id), child: Number(child?.id) };
}

export function relation(externalId: string, more: Json = {}): Json {
  const ends = { sourceExternalId: 'root', sourceType: 'asset', targetExternalId: 'child', targetType: 'asset' };
  return { externalId, ...ends, ...more };
}

export const asset = (more: Json = {}): Json => ({ externalId: 'new', name: 'New', ...more });
export const many = (count: number, item: (index: number) => Json) =>
  Array.from({ length: count }, (_each, at) => item(at));
export const items = (...given: readonly unknown[]): Json => ({ items: given });
export const long = (length: number) => 'x'.repeat(length);
export const update = (externalId: string, change: Json): Json => items({ externalId, update: change });
export const points = (externalId: string, ...values: readonly (readonly [unknown, unknown])[]): Json => ({
  externalId,
  datapoints: values.map(([timestamp, value]) => ({ timestamp, value })),
});
export const pairs = (count: number): Json =>
  Object.fromEntries(many(count, () => ({})).map((_each, at) => [`k${at}`, '']));

/** What is wrong, where it is sent, the body, the status, and the beginning or a part of the text. */
export type Case = readonly [string, string, Json | ((known: Known) => Json), number, string | RegExp, Json?];

/** Sends the request of a case to a project that knows some objects: it is refused, tells why, and stores nothing. */
export async function expectRefusal([, path, body, status, text, details = {}]: Case): Promise<void> {
  const ready = await known();
  const { server } = ready;
  const { changes } = (await server.sim('stats')).json();
  const manifest = (await server.sim('manifest')).json();
  const reply = await server.post(path, typeof body === 'function' ? body(ready) : body);
  const flat = path.startsWith('/extpipes') || reply.json().error === undefined;
  const error = flat ? reply.json() : reply.error();
  expect([reply.status, error.code], reply.text).toEqual([status, status]);
  if (typeof text === 'string') expect(String(error.message)).toMatch(new RegExp(`^${text.replaceAll('/', '\\/')}`));
  else expect(String(error.message)).toMatch(text);
  for (const [name, value] of Object.entries(details)) expect(error[name]).toEqual(value);
  expect(reply.headers.get('x-request-id')).toMatch(/^req-/);
  expect((await server.sim('stats')).json().changes).toEqual(changes);
  expect((await server.sim('manifest')).json()).toEqual(manifest);
}
