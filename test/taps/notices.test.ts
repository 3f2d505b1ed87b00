/** What a channel reads of a run, through a real channel and a webhook that keeps the texts. */
import { describe, expect, it } from 'vitest';
import { openSlack } from '../../http/slack.ts';
import { Notices } from '../../taps/manageengine/notices.ts';
import { HeldClock } from '../http/held-clock.ts';
import { memoryRun } from '../http/run.ts';
import { webhook } from '../http/webhook.ts';

/** Everything that these events tell, as one text. */
async function told(act: (notices: Notices) => void, hosts: readonly string[] = []): Promise<string> {
  const { url, texts } = await webhook();
  const notices = new Notices('tap-pmp', 'systems', openSlack({ url }, memoryRun(new HeldClock())), hosts);
  act(notices);
  await notices.close();
  return texts.join('\n');
}

const START = { total: 3_317, distinct: 0, percent: 0, target: 0.95 };

/** A checkpoint at this share of 3,317 systems on 664 pages. */
const at = (percent: number, gaps: readonly number[] = []) => ({
  page: Math.round(6.64 * percent),
  pages: 664,
  distinct: Math.round(33.17 * percent),
  total: 3_317,
  percent,
  gaps,
  etaMinutes: 4.2,
});

/** Shares in the progress blocks of a text. */
const shares = (text: string) => [...text.matchAll(/^- Systems: .*\((.*)%\)$/gm)].map(([, share]) => Number(share));

describe('the start', () => {
  it('names the target', async () => {
    expect(await told((notices) => notices.started(START))).toBe(
      '🔄 *tap-pmp* extraction started (target: 3,317 systems, 95%)',
    );
  });

  it('says that nobody knows the number yet', async () => {
    expect(await told((notices) => notices.started({ ...START, total: null }))).toBe(
      '🔄 *tap-pmp* extraction started (target: 95% of all systems, their number is not known yet)',
    );
  });

  it('says what earlier runs have brought', async () => {
    expect(await told((notices) => notices.started({ ...START, distinct: 1_250, percent: 37.7 }))).toBe(
      '🔄 *tap-pmp* extraction started (target: 3,317 systems, 95%; 1,250 so far, 37.7%)',
    );
  });
});

describe('a milestone', () => {
  it('is told as a block', async () => {
    const text = await told((notices) => notices.checkpoint(at(25.4, [15, 23])));
    expect(text.split('\n')).toEqual([
      '*tap-pmp extraction progress*',
      '- Page: 169/664',
      '- Systems: 843/3,317 (25.4%)',
      '- Errors: 2 (pages 15, 23)',
      '- ETA: 5 minutes',
    ]);
  });

  it('is told once: 25, 50, 75', async () => {
    const text = await told((notices) => {
      notices.started(START);
      for (let percent = 5; percent <= 100; percent += 5) notices.checkpoint(at(percent));
    });
    expect(shares(text)).toEqual([25, 50, 75]);
  });

  it('that an earlier run has passed is not told again', async () => {
    const text = await told((notices) => {
      notices.started({ ...START, distinct: 1_990, percent: 60 });
      for (const percent of [60, 62, 74.9, 75, 90]) notices.checkpoint(at(percent));
    });
    expect(shares(text)).toEqual([75]);
  });

  it('that was reached exactly by an earlier run is not told again', async () => {
    const text = await told((notices) => {
      notices.started({ ...START, distinct: 829, percent: 25 });
      notices.checkpoint(at(26));
    });
    expect(shares(text)).toEqual([]);
  });

  it('is not told again when coverage fell below it meanwhile', async () => {
    const text = await told((notices) => {
      for (const percent of [50, 49, 51]) notices.checkpoint(at(percent));
    });
    expect(shares(text)).toEqual([50]);
  });

  it('that others were passed with speaks for them', async () => {
    expect(shares(await told((notices) => notices.checkpoint(at(80))))).toEqual([80]);
  });

  it('is no matter when everything is there', async () => {
    expect(await told((notices) => notices.checkpoint(at(100)))).toBe('');
  });

  it('lists at most 20 pages and counts all', async () => {
    const gaps = Array.from({ length: 31 }, (_, index) => index + 1);
    const text = await told((notices) => notices.checkpoint(at(50, gaps)));
    expect(text).toMatch(/^- Errors: 31 \(pages 1, 2, .*, 19, 20 and more\)$/m);
  });
});

describe('the end', () => {
  const END = { ...at(7.5), targetMet: false, finished: false, gaps: [], requests: 53, newRows: 250 };

  it('of a batch counts what it brought', async () => {
    expect(await told((notices) => notices.ended(END))).toBe(
      '✅ *tap-pmp* batch complete: 250 systems extracted (7.5% total coverage, 53 requests)',
    );
  });

  it('names what is missing', async () => {
    expect(await told((notices) => notices.ended({ ...END, gaps: [51] }))).toMatch(/; missing pages: 1 \(page 51\)$/);
  });

  const MET = { ...END, total: 3_317, distinct: 3_150, percent: 95, targetMet: true, finished: true };

  it('tells a target that was met', async () => {
    expect((await told((notices) => notices.ended(MET))).split('\n')[1]).toBe(
      '🎉 *tap-pmp* extraction complete: 3,150/3,317 systems (95%)',
    );
  });

  it('does not tell it a second time', async () => {
    const text = await told((notices) => {
      notices.started({ ...START, distinct: 3_150, percent: 95, targetMet: true });
      notices.ended(MET);
    });
    expect(text).toContain('batch complete');
    expect(text).not.toContain('extraction complete');
  });

  it('tells a sweep that ended below its target', async () => {
    const text = await told((notices) => notices.ended({ ...MET, distinct: 3_000, percent: 90.4, targetMet: false }));
    expect(text.split('\n')[1]).toBe('⚠️ *tap-pmp* reached the last page below its target: 3,000/3,317 systems (90.4%)');
  });

  it('of a run that asked for nothing is silent', async () => {
    expect(await told((notices) => notices.ended({ ...MET, requests: 0 }))).toBe('');
  });
});

describe('a failure', () => {
  it('of a page names page, attempts and reason', async () => {
    const gap = { stream: 'systems', page: 51, attempts: 3, message: 'the server failed (503)' };
    expect(await told((notices) => notices.gap(gap))).toBe(
      '⚠️ *tap-pmp* systems: page 51 failed after 3 attempts (the server failed (503))',
    );
    expect(await told((notices) => notices.gap({ ...gap, attempts: 1 }))).toContain('after 1 attempt (');
  });

  it('of a stream and of the run', async () => {
    const reason = 'the server forbids this request (403) — check the scopes or rights of the credentials';
    expect(await told((notices) => notices.failed({ stream: 'patches', reason }))).toBe(
      `❌ *tap-pmp* stream patches could not be read: ${reason}`,
    );
    expect(await told((notices) => notices.failed({ reason }))).toBe(`❌ *tap-pmp* failed: ${reason}`);
  });

  it.each([
    ['no connection to pmp.example.invalid:8383: connect ECONNREFUSED 192.0.2.7:8383', /pmp|example|192\.0\.2\.7/],
    ['pmpserver:8383 did not answer in time', /pmpserver/],
    ['getaddrinfo ENOTFOUND pmpserver', /pmpserver/],
    ['redirected to Login.example.invalid instead of answering', /example/],
    ['the server refused the request: unknown user jo.doe@example.invalid', /jo\.doe/],
  ])('keeps to itself where the server stands and whom it names: %s', async (reason, secret) => {
    const text = await told((notices) => notices.failed({ reason }), ['pmpserver', '']);
    expect(text).toContain('*tap-pmp* failed: ');
    expect(text).not.toMatch(new RegExp(`failed: .*(${secret.source})`));
  });

  it.each([
    'the answer has no list at "message_response.systems"',
    'create a token with PatchMgmt.READ',
    'gave up at 12:30',
  ])('is told as it is otherwise: %s', async (reason) => {
    expect(await told((notices) => notices.failed({ reason }))).toBe(`❌ *tap-pmp* failed: ${reason}`);
  });

  it('is one line of bounded length', async () => {
    const text = await told((notices) => notices.failed({ reason: `two\nlines ${'x'.repeat(5_000)}` }));
    expect(text).toMatch(/^❌ \*tap-pmp\* failed: two lines x{290}…$/);
  });
});

it('without a channel nothing is told and nothing fails', async () => {
  const notices = new Notices('tap-pmp', 'systems', undefined);
  notices.started(START);
  notices.checkpoint(at(50));
  notices.failed({ reason: 'the server failed (503)' });
  await expect(notices.close()).resolves.toBeUndefined();
});
