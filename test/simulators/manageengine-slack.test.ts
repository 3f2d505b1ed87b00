import { expect, test } from 'vitest';
import { call, type Json, START, sim, simulator } from './manageengine-client.ts';

test('messages are recorded and answered as Slack does', async () => {
  const server = await simulator();
  const sent = await sim(server, 'slack', 'POST', { text: 'gap on page 4', blocks: [] });
  expect([sent.status, sent.type, sent.text]).toEqual([200, 'text/plain', 'ok']);
  server.tenant().advance(1_000);
  await sim(server, 'slack', 'POST', { attachments: ['no text'] });
  expect((await sim(server, 'slack')).json().messages).toEqual([
    { at: START, text: 'gap on page 4', body: { text: 'gap on page 4', blocks: [] } },
    { at: START + 1_000, text: '', body: { attachments: ['no text'] } },
  ]);
  expect(server.slack.messages).toHaveLength(2);
  expect((await sim(server, 'slack', 'DELETE')).json()).toEqual({ removed: 2 });
  expect(server.slack.messages).toEqual([]);
});

test('what is no JSON object is refused, and kept', async () => {
  const server = await simulator();
  const reply = await call(`${server.url}/__sim/slack`, { method: 'POST', body: 'plain words' });
  expect([reply.status, reply.text]).toEqual([400, 'invalid_payload']);
  expect(server.slack.messages).toEqual([{ at: START, text: '', body: 'plain words' }]);
});

test.each([
  [404, 'no_service'],
  [500, 'server_error'],
])('a webhook that answers %i keeps what it got', async (status, text) => {
  const server = await simulator();
  expect((await sim(server, 'slack/behaviour', 'POST', { status })).json()).toEqual({
    status,
    delay_ms: 0,
    hang: false,
  });
  const reply = await sim(server, 'slack', 'POST', { text: 'hello' });
  expect([reply.status, reply.text]).toEqual([status, text]);
  expect(server.slack.messages).toHaveLength(1);
  await sim(server, 'slack/behaviour', 'POST', {});
  expect((await sim(server, 'slack', 'POST', { text: 'again' })).status).toBe(200);
});

test('a webhook that hangs never answers; the message arrived', async () => {
  const server = await simulator();
  await sim(server, 'slack/behaviour', 'POST', { hang: true });
  const stop = new AbortController();
  const asked = call(`${server.url}/__sim/slack`, { method: 'POST', body: '{"text":"x"}', signal: stop.signal });
  const outcome = asked.then(
    () => 'answered',
    () => 'given up',
  );
  while (server.slack.messages.length === 0) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  expect(await outcome).toBe('given up');
});

test('a late webhook answers after all', async () => {
  const server = await simulator();
  await sim(server, 'slack/behaviour', 'POST', { delay_ms: 1 });
  expect((await sim(server, 'slack', 'POST', { text: 'x' })).text).toBe('ok');
});

test.each([
  [{ status: '404' }, 'status must be a number'],
  [{ delay: 3 }, 'unknown key "delay"; known keys: status, delay_ms, hang'],
  [[], 'send {"status": 200'],
])('refuses the behaviour %j', async (body, message) => {
  const reply = await sim(await simulator(), 'slack/behaviour', 'POST', body);
  expect([reply.status, (reply.json() as Json).error]).toEqual([400, expect.stringContaining(message)]);
});
