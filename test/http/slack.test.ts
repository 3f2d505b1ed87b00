/** A channel against a real server that takes, refuses, loses and delays messages, in time that the test moves. */
import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSlack, type SlackChannel } from '../../http/slack.ts';
import { openLog } from '../../singer/log.ts';
import { memoryIo } from '../singer/memory-io.ts';
import { HeldClock } from './held-clock.ts';
import { closeLater, type Reply } from './replies.ts';
import { type MemoryRun, memoryRun } from './run.ts';
import { PATH, SECRET, webhook } from './webhook.ts';

let clock: HeldClock;
let run: MemoryRun;

beforeEach(() => {
  clock = new HeldClock();
  run = memoryRun(clock);
});

afterEach(() => {
  expect(JSON.stringify(run.lines)).not.toContain(SECRET);
});

function open(url: string): SlackChannel {
  const channel = openSlack({ url }, run);
  if (channel === undefined) throw new Error('the channel is off');
  return channel;
}

/** Resolves when a line of this event has been written this often. */
async function logged(event: string, times = 1): Promise<void> {
  while (run.events(event).length < times) await new Promise((resolve) => setImmediate(resolve));
}

/** Resolves when nothing sleeps any more: the answer to a message ends its limit. */
async function answered(): Promise<void> {
  while (clock.sleepers > 0) await new Promise((resolve) => setImmediate(resolve));
}

const FAILED: Reply = { status: 500, body: 'fatal_error' };

describe('a message', () => {
  it('is JSON with the text, and leaves at once', async () => {
    const { url, requests, texts, arrived } = await webhook();
    const channel = open(url);
    channel.say('*tap* begins');
    await arrived(1);
    await channel.close();
    expect(texts).toEqual(['*tap* begins']);
    expect(requests[0]).toMatchObject({
      method: 'POST',
      url: PATH,
      headers: { 'content-type': 'application/json' },
    });
    expect(run.lines).toEqual([]);
  });

  it('cannot call people or carry links', async () => {
    const { url, texts } = await webhook();
    const channel = open(url);
    channel.say('failed: <!channel> & <https://example.invalid|here>');
    await channel.close();
    expect(texts).toEqual(['failed: &lt;!channel&gt; &amp; &lt;https://example.invalid|here&gt;']);
  });

  it('goes through the proxy of the environment', async () => {
    const asked: string[] = [];
    const proxy = createServer().on('connect', (request, socket) => {
      asked.push(String(request.url));
      socket.on('error', () => undefined).end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    closeLater(async () => {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    });
    const { port } = proxy.address() as { port: number };
    run = memoryRun(clock, { HTTPS_PROXY: `http://127.0.0.1:${port}` });
    const channel = open(`https://hooks.example.invalid${PATH}`);
    channel.say('begins');
    await logged('slack_failed');
    await channel.close();
    expect(asked[0]).toBe('hooks.example.invalid:443');
  });
});

describe('a minute', () => {
  it('holds one message; what comes within it leaves together at its end', async () => {
    const { url, texts, arrived } = await webhook();
    const channel = open(url);
    channel.say('one');
    await arrived(1);
    await answered();
    clock.advance(10_000);
    channel.say('two');
    channel.say('three');
    await clock.asleep(50_000);
    clock.advance(49_999);
    channel.say('four');
    expect(texts).toEqual(['one']);
    clock.advance(1);
    await arrived(2);
    await channel.close();
    expect(texts).toEqual(['one', 'two\nthree\nfour']);
  });

  it('that is over holds nobody back', async () => {
    const { url, texts, arrived } = await webhook();
    const channel = open(url);
    channel.say('one');
    await arrived(1);
    await answered();
    clock.advance(60_000);
    channel.say('two');
    await arrived(2);
    await channel.close();
    expect(texts).toEqual(['one', 'two']);
  });

  it('does not hold back what is left at the end', async () => {
    const { url, texts, arrived } = await webhook();
    const channel = open(url);
    channel.say('one');
    await arrived(1);
    channel.say('two');
    channel.say('three');
    await channel.close();
    expect(texts).toEqual(['one', 'two\nthree']);
    expect(clock.sleepers).toBe(0);
  });

  it('splits what Slack would cut', async () => {
    const { url, texts } = await webhook();
    const channel = open(url);
    const long = ['a', 'b', 'c'].map((letter) => letter.repeat(14_000));
    for (const text of long) channel.say(text);
    await channel.close();
    expect(texts).toEqual([`${long[0]}\n${long[1]}`, long[2]]);
  });
});

describe('a webhook that is gone', () => {
  it.each([403, 404, 410])('(%i) is told once and asked no more', async (status) => {
    const { url, texts, arrived } = await webhook({ status, body: 'no_service' });
    const channel = open(url);
    channel.say('one');
    await arrived(1);
    await logged('slack_disabled');
    clock.advance(120_000);
    channel.say('two');
    await channel.close();
    expect(texts).toEqual(['one']);
    expect(run.lines).toMatchObject([{ level: 'WARNING', event: 'slack_disabled', fields: { status } }]);
    expect(run.lines[0]?.message).toContain(`(${status}: no_service)`);
  });
});

describe('a message that failed', () => {
  it('goes out with the next one', async () => {
    const { url, texts, arrived } = await webhook(FAILED, {});
    const channel = open(url);
    channel.say('one');
    await logged('slack_failed');
    clock.advance(60_000);
    channel.say('two');
    await arrived(2);
    await channel.close();
    expect(texts).toEqual(['one', 'one\ntwo']);
    expect(run.lines).toMatchObject([{ level: 'WARNING', event: 'slack_failed', fields: { status: 500 } }]);
    expect(run.lines[0]?.message).toContain('(500: fatal_error)');
  });

  it('while the next one was said goes out with it', async () => {
    const { url, texts, arrived } = await webhook('hang', {});
    const channel = open(url);
    channel.say('one');
    await arrived(1);
    channel.say('two');
    clock.advance(5_000);
    await clock.asleep(55_000);
    clock.advance(55_000);
    await arrived(2);
    await channel.close();
    expect(texts).toEqual(['one', 'one\ntwo']);
  });

  it('goes out at the end if nothing else does', async () => {
    const { url, texts } = await webhook(FAILED, {});
    const channel = open(url);
    channel.say('one');
    await logged('slack_failed');
    await channel.close();
    expect(texts).toEqual(['one', 'one']);
    expect(run.events('slack_failed')).toHaveLength(1);
  });

  it('is given up when nobody is there, and said to be', async () => {
    const { url } = await webhook();
    const port = Number(new URL(url).port);
    const channel = open(url.replace(String(port), '1'));
    channel.say('one');
    channel.say('two');
    await channel.close();
    expect(run.lines.at(-1)).toMatchObject({ level: 'WARNING', event: 'slack_failed', fields: { notices: 2 } });
    expect(run.lines.at(-1)?.message).toMatch(/^2 notices could not be told/);
  });
});

describe('Retry-After', () => {
  const throttled = (seconds: number): Reply => ({ status: 429, headers: { 'retry-after': String(seconds) } });

  it('is the earliest time of the next message', async () => {
    const { url, texts, arrived } = await webhook(throttled(120), {});
    const channel = open(url);
    channel.say('one');
    await logged('slack_failed');
    channel.say('two');
    await clock.asleep(120_000);
    clock.advance(119_999);
    expect(texts).toEqual(['one']);
    clock.advance(1);
    await arrived(2);
    await channel.close();
    expect(texts).toEqual(['one', 'one\ntwo']);
  });

  it('is waited for at the end when it is short', async () => {
    const { url, texts } = await webhook(throttled(3), {});
    const channel = open(url);
    channel.say('one');
    await logged('slack_failed');
    const closed = channel.close();
    await clock.asleep(3_000);
    clock.advance(3_000);
    await closed;
    expect(texts).toEqual(['one', 'one']);
  });

  it('is not waited for at the end when it is long', async () => {
    const { url, texts } = await webhook(throttled(30), {});
    const channel = open(url);
    channel.say('one');
    await logged('slack_failed');
    await channel.close();
    expect(texts).toEqual(['one']);
    expect(run.lines.at(-1)).toMatchObject({ event: 'slack_failed', fields: { notices: 1 } });
  });
});

describe('a webhook that never answers', () => {
  it('costs a message 5 seconds, and the message is kept', async () => {
    const { url, texts, arrived } = await webhook('hang', {});
    const channel = open(url);
    channel.say('one');
    await arrived(1);
    clock.advance(5_000);
    await logged('slack_failed');
    expect(run.lines[0]?.message).toContain('no answer within 5 seconds');
    await channel.close();
    expect(texts).toEqual(['one', 'one']);
  });

  it('costs the end 5 seconds in all', async () => {
    const { url, arrived } = await webhook('hang');
    const channel = open(url);
    const start = clock.now();
    channel.say('one');
    await arrived(1);
    clock.advance(3_000);
    let closed = false;
    const closing = channel.close().then(() => (closed = true));
    // The first attempt is given up after its own 5 seconds, the second by the end of patience.
    clock.advance(2_000);
    await arrived(2);
    clock.advance(2_999);
    expect(closed).toBe(false);
    clock.advance(1);
    await closing;
    expect(clock.now() - start).toBe(8_000);
    expect(run.lines.at(-1)).toMatchObject({ event: 'slack_failed', fields: { notices: 1 } });
    expect(clock.sleepers).toBe(0);
  });
});

describe('an address', () => {
  it.each([
    `http://hooks.example.invalid${PATH}`,
    `http://127.0.0.1.example.invalid${PATH}`,
    `ftp://hooks.example.invalid${PATH}`,
    PATH,
    '#patching',
    '',
  ])('that cannot be one switches the channel off: %s', (url) => {
    expect(openSlack({ url }, run)).toBeUndefined();
    expect(run.lines).toMatchObject([{ level: 'WARNING', event: 'slack_disabled' }]);
    expect(run.lines[0]?.message).toContain('slack_webhook_url');
    expect(run.hidden).toContain(url);
  });

  it('that is absent is no matter for a warning', () => {
    expect(openSlack({ url: undefined }, run)).toBeUndefined();
    expect(run.lines).toEqual([]);
  });

  it('is hidden even where a server repeats it', async () => {
    const { url } = await webhook({ status: 404, body: `Cannot POST ${PATH}` });
    const io = memoryIo();
    const channel = openSlack({ url }, { ...run, log: await openLog('tap-pmp', io, { format: 'json' }) });
    channel?.say('one');
    await channel?.close();
    expect(io.stderr.text).toContain('Cannot POST [secret]');
    expect(io.stderr.text).not.toContain(SECRET);
  });
});

describe('a channel that is closed', () => {
  it('takes nothing more and closes once', async () => {
    const { url, texts } = await webhook();
    const channel = open(url);
    channel.say('one');
    await channel.close();
    channel.say('two');
    await channel.close();
    expect(texts).toEqual(['one']);
  });

  it('that said nothing makes no request', async () => {
    const { url, requests } = await webhook();
    await open(url).close();
    expect(requests).toEqual([]);
  });
});
