/** What a channel is told of real runs, and what a run suffers from Slack: nothing. Time stands still unless moved. */
import { describe, expect, it } from 'vitest';
import type { ManageEngineOptions } from '../../simulators/manageengine/server.ts';
import type { Json } from '../../singer/lossless.ts';
import type { Output, RunOptions } from '../contract/tap/outside.ts';
import { HeldClock } from '../http/held-clock.ts';
import { PATH, SECRET, webhook } from '../http/webhook.ts';
import { Extraction } from './extraction.ts';

const MINUTE = 60_000;
const PATIENCE = 5_000;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Time passes between two pages, once Slack has answered, and nowhere else. */
class PagedClock extends HeldClock {
  #unanswered = 0;

  override async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms > MINUTE) {
      while (this.#unanswered > 0) await turn();
      this.advance(ms);
      return;
    }
    const post = ms === PATIENCE ? 1 : 0;
    this.#unanswered += post;
    await super.sleep(ms, signal).finally(() => {
      this.#unanswered -= post;
    });
  }
}

const SETTINGS = { streams: ['systems'], pages_per_run: 0, checkpoint_pages: 1, page_delay_ms: 0, max_attempts: 1 };

interface Channel {
  readonly extraction: Extraction;
  readonly clock: HeldClock;
  run(settings?: Readonly<Record<string, Json>>, argv?: readonly string[], options?: RunOptions): Promise<Output>;
  texts(): readonly string[];
}

/** A tenant whose runs tell the simulator's own webhook. */
async function channel(
  options: Omit<ManageEngineOptions, 'now'> = {},
  settings: Readonly<Record<string, Json>> = {},
): Promise<Channel> {
  const clock = new PagedClock();
  const extraction = await Extraction.start(options, { ...SETTINGS, ...settings }, clock);
  const slack_webhook_url = `${extraction.simulator.url}/__sim/slack`;
  return {
    extraction,
    clock,
    run: (more = {}, ...rest) => extraction.run({ slack_webhook_url, ...more }, ...rest),
    texts: () => extraction.simulator.slack.messages.map(({ text }) => text),
  };
}

/** A run with more than a minute between two pages, so that no message has to wait for the one before. */
const SLOWLY = { page_delay_ms: MINUTE + 1 };

const lines = (texts: readonly string[]) => texts.flatMap((text) => text.split('\n'));
const shares = (texts: readonly string[]) =>
  lines(texts).flatMap((line) => /^- Systems: .*\(([\d.]+)%\)$/.exec(line)?.[1] ?? []);

describe('a run tells', () => {
  it('its start, 25, 50 and 75 percent, and its end', async () => {
    const { run, texts } = await channel();
    const output = await run(SLOWLY);
    expect(output.code).toBe(0);
    expect(texts()[0]).toBe(
      '🔄 *tap-pmp* extraction started (target: 95% of all systems, their number is not known yet)',
    );
    // Seven pages: 14.9, 29.8, 44.6, 59.5, 74.4, 89.3, 100.
    expect(shares(texts())).toEqual(['29.8', '59.5', '89.3']);
    expect(texts().at(-1)).toMatch(
      /^✅ \*tap-pmp\* batch complete: 168 systems extracted \(100% total coverage, \d+ requests\)\n🎉 \*tap-pmp\* extraction complete: 168\/168 systems \(100%\)$/,
    );
    for (const text of texts()) expect(text).not.toMatch(/127\.0\.0\.1|localhost/);
  });

  it('everything in two messages when it takes less than a minute', async () => {
    const { run, texts } = await channel();
    await run();
    expect(texts()).toHaveLength(2);
    expect(shares(texts())).toEqual(['29.8', '59.5', '89.3']);
    expect(lines(texts()).at(-1)).toMatch(/extraction complete/);
  });

  it('each milestone of a sweep once, however many runs it takes, and the target when it is met', async () => {
    const { run, clock, texts } = await channel({}, { pages_per_run: 2 });
    const told: (readonly string[])[] = [];
    for (let batch = 1; batch <= 5; batch += 1) {
      const before = texts().length;
      await run(SLOWLY);
      clock.advance(6 * 60 * MINUTE);
      told.push(texts().slice(before));
    }
    expect(told.map(shares)).toEqual([['29.8'], ['59.5'], ['89.3'], [], []]);
    expect(told[1]?.[0]).toBe('🔄 *tap-pmp* extraction started (target: 168 systems, 95%; 50 so far, 29.8%)');
    expect(told.map((texts) => lines(texts).filter((line) => line.startsWith('🎉')).length)).toEqual([0, 0, 0, 1, 0]);
    // A run with nothing to do tells nobody.
    expect(told[4]).toEqual([]);
  });

  it('a page that failed, once, and the pages that are missing at the end', async () => {
    const { extraction, run, texts } = await channel();
    extraction.tenant.addFault({ match: { path: '/scandetails$', pages: [3, 3] }, action: { type: 'burst503' } });
    const output = await run(SLOWLY);
    expect(output.code).toBe(2);
    const failed = lines(texts()).filter((line) => line.includes('page 3 failed'));
    expect(failed).toEqual(['⚠️ *tap-pmp* systems: page 3 failed after 1 attempt (the server failed (503))']);
    expect(lines(texts()).filter((line) => line.startsWith('- Errors: 1 (page 3)')).length).toBeGreaterThan(0);
    expect(lines(texts()).at(-2)).toMatch(/^✅ .*; missing pages: 1 \(page 3\)$/);
    expect(lines(texts()).at(-1)).toMatch(/^⚠️ \*tap-pmp\* reached the last page below its target: 143\/168 systems/);

    const before = texts().length;
    await run(SLOWLY);
    expect(lines(texts().slice(before)).filter((line) => line.includes('page 3 failed'))).toEqual([]);
  });

  it('a stream that failed', async () => {
    const { extraction, run, texts } = await channel({}, { streams: ['systems', 'patch_summary'] });
    extraction.tenant.addFault({ match: { path: '/summary$' }, action: { type: 'errorEnvelope', code: '1002' } });
    await run();
    expect(lines(texts())).toContainEqual(
      expect.stringMatching(/^❌ \*tap-pmp\* stream patch_summary could not be read: the server refused the request/),
    );
  });

  it('that it failed, and why', async () => {
    const { extraction, run, texts } = await channel();
    extraction.tenant.addFault({ action: { type: 'unauthorizedLoop' } });
    const output = await run({ max_attempts: 3 });
    expect(output.code).toBe(1);
    expect(lines(texts()).at(-1)).toMatch(
      /^❌ \*tap-pmp\* failed: the server refused the credentials 3 times in a row/,
    );
  });

  it('nothing with --test, which only looks', async () => {
    const { run, texts } = await channel();
    const output = await run({}, ['--test']);
    expect(output.code).toBe(0);
    expect(texts()).toEqual([]);
  });

  it('nothing with --status', async () => {
    const { run, texts } = await channel();
    expect((await run({}, ['--status'])).code).toBe(0);
    expect(texts()).toEqual([]);
  });

  it('nothing that stopped it: whoever stops a run knows', async () => {
    const { run, texts } = await channel();
    const output = await run({}, [], {
      onLog: ({ event_type }, stop) => {
        if (event_type === 'extraction_progress') stop();
      },
    });
    expect(output.code).toBe(143);
    expect(lines(texts()).filter((line) => line.startsWith('❌'))).toEqual([]);
  });

  it('nobody when no address is set', async () => {
    const { run, texts } = await channel();
    await run({ slack_webhook_url: null });
    expect(texts()).toEqual([]);
  });

  it('by the address that the environment names', async () => {
    const { extraction, run, texts } = await channel();
    const SLACK_WEBHOOK_URL = `${extraction.simulator.url}/__sim/slack`;
    await run({ slack_webhook_url: null }, [], { env: { SLACK_WEBHOOK_URL } });
    expect(texts().length).toBeGreaterThan(0);
  });
});

describe('a run does not suffer from', () => {
  it('an address that Slack does not know any more: it is told once and then nobody', async () => {
    const { extraction, run, texts } = await channel();
    extraction.simulator.slack.behave({ status: 404 });
    const output = await run(SLOWLY);
    expect(output.code).toBe(0);
    expect(output.table('systems')).toHaveLength(168);
    expect(texts()).toHaveLength(1);
    expect(output.events('slack_disabled')).toMatchObject([{ level: 'WARNING', status: 404 }]);
  });

  it('an address that is none', async () => {
    const { run, texts } = await channel();
    const output = await run({ slack_webhook_url: 'hooks.slack.com/services/x' });
    expect(output.code).toBe(0);
    expect(output.events('slack_disabled')).toHaveLength(1);
    expect(texts()).toEqual([]);
  });

  it('a Slack that fails: what it did not take goes with the next message', async () => {
    const { extraction, run, texts } = await channel();
    extraction.simulator.slack.behave({ status: 500 });
    const output = await run(SLOWLY, [], {
      onLog: ({ event_type, page }) => {
        if (event_type === 'checkpoint_saved' && page === 4) extraction.simulator.slack.behave({ status: 200 });
      },
    });
    expect(output.code).toBe(0);
    // The last message that was taken tells the start as well.
    const taken = lines(texts().slice(-3));
    for (const said of [/started/, /29\.8%/, /59\.5%/, /extraction complete/])
      expect(taken.some((line) => said.test(line))).toBe(true);
  });

  it('a Slack that never answers, beyond its patience of five seconds', async () => {
    const { extraction, run, clock } = await channel();
    extraction.simulator.slack.behave({ hang: true });
    const start = clock.now();
    let told: () => void = () => undefined;
    const complete = new Promise<void>((resolve) => (told = resolve));
    let ended = false;
    const running = run({}, [], {
      onLog: ({ event_type }) => {
        if (event_type === 'batch_complete') told();
      },
    }).finally(() => {
      ended = true;
    });
    await complete;
    // The message that waits for its answer, and the end of the run.
    while (clock.sleepers < 2) await turn();
    // Every row is out; the run waits for nothing but the message.
    clock.advance(PATIENCE - 1);
    for (let at = 0; at < 20; at += 1) await turn();
    expect(ended).toBe(false);
    clock.advance(1);
    const output = await running;
    expect(output.code).toBe(0);
    expect(output.table('systems')).toHaveLength(168);
    expect(output.events('slack_failed').at(-1)?.message).toMatch(/could not be told/);
    expect(clock.now() - start).toBe(PATIENCE);
    expect(clock.sleepers).toBe(0);
  });
});

it('the address stands in no line and no state, whatever happens to it', async () => {
  for (const answers of [[{}], [{ status: 404, body: 'no_service' }], [{ status: 500 }]] as const) {
    const { url, texts } = await webhook(...answers);
    const { extraction, run } = await channel();
    extraction.tenant.addFault({ match: { path: '/scandetails$', pages: [2, 2] }, action: { type: 'burst503' } });
    const output = await run({ ...SLOWLY, slack_webhook_url: url }, ['--log-level', 'DEBUG']);
    expect(texts.length).toBeGreaterThan(0);
    for (const secret of [SECRET, PATH, url]) expect(output.stderr + output.stdout).not.toContain(secret);
  }
});
