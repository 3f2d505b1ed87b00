/**
 * Messages to a Slack channel through an incoming webhook. The work that is told about never waits for Slack and never
 * fails because of it: a message that cannot be sent costs a warning, not a run.
 */
import type { Dispatcher } from 'undici';
import api from 'undici/lib/api/index.js';
import { textOf } from '../singer/errors.ts';
import { sampleOf } from '../singer/masking.ts';
import type { Closing, Run } from '../singer/stream.ts';
import { retryAfter } from './judge.ts';
import { openDispatcher } from './wire.ts';

/** A place for short texts. */
export interface SlackChannel extends Closing {
  /**
   * Takes a text and returns at once. The first one leaves now; those that come within a minute of the last message
   * leave together as one message of several lines.
   */
  say(text: string): void;
  /** Sends what is left without waiting for the minute, within 5 seconds, and closes the connection. */
  close(): Promise<void>;
}

/** Between the starts of two messages. Milliseconds. */
const MINUTE = 60_000;

/** For one message, from sending to the answer; and for everything that is left when the channel is closed. Milliseconds. */
const PATIENCE = 5_000;

/** Slack cuts texts beyond 40,000 characters. */
const LONGEST_TEXT = 30_000;

/** Slack documents these for webhooks that were removed, are not allowed any more, or whose channel is archived. */
const GONE = new Set([403, 404, 410]);

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** The address if messages may go there: https, or http to this machine. */
function webhook(address: string): URL | undefined {
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  if (url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname))) return url;
  return undefined;
}

/**
 * Opens the channel behind a webhook address, which is a secret: whoever knows it can post. Makes no request yet.
 * Returns undefined when there is no address, and, with the warning `slack_disabled`, when it cannot be one. Proxies of
 * the run's environment are honoured; certificates are checked against the public authorities.
 */
export function openSlack(
  { url: address }: { readonly url: string | undefined },
  run: Pick<Run, 'log' | 'clock' | 'env'>,
): SlackChannel | undefined {
  if (address === undefined) return undefined;
  run.log.hide(address);
  const url = webhook(address);
  if (url === undefined) {
    run.log.warn(
      'slack_disabled',
      'slack_webhook_url is no https address, so nothing is told to Slack: copy it again from the page "Incoming Webhooks" of the Slack app',
      { setting: 'slack_webhook_url' },
    );
    return undefined;
  }
  run.log.hide(url.href);
  run.log.hide(url.pathname);
  return new Channel(url, openDispatcher({ env: run.env }), run);
}

class Channel implements SlackChannel {
  readonly #url: URL;
  readonly #dispatcher: Dispatcher;
  readonly #run: Pick<Run, 'log' | 'clock'>;
  /** Texts that no answered message carries yet, oldest first. */
  #waiting: string[] = [];
  #minuteEnds = Number.NEGATIVE_INFINITY;
  /** Slack asked to send nothing before. */
  #askedUntil = Number.NEGATIVE_INFINITY;
  #delivery: Promise<void> | undefined;
  #gone = false;
  /** Aborted by `close`: the minute counts no longer. */
  readonly #closing = new AbortController();
  /** Aborted when `close` has waited long enough. */
  readonly #over = new AbortController();

  constructor(url: URL, dispatcher: Dispatcher, run: Pick<Run, 'log' | 'clock'>) {
    this.#url = url;
    this.#dispatcher = dispatcher;
    this.#run = run;
  }

  say(text: string): void {
    if (this.#gone || this.#closing.signal.aborted) return;
    this.#waiting.push(this.#run.log.redact(text));
    this.#delivery ??= this.#deliver();
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    const done = new AbortController();
    void this.#run.clock.sleep(PATIENCE, done.signal).then(
      () => this.#over.abort(),
      () => undefined,
    );
    await this.#delivery;
    await this.#deliver();
    done.abort();
    const count = this.#waiting.length;
    if (count > 0) {
      this.#run.log.warn('slack_failed', `${count} notices could not be told to Slack; the log tells the same`, {
        notices: count,
      });
    }
    // Nothing is worth waiting for any more, and an open connection would keep the process alive.
    await this.#dispatcher.destroy();
  }

  /** Sends what waits until nothing does, or a message fails and no further text came meanwhile: the next one tries again. */
  async #deliver(): Promise<void> {
    try {
      while (this.#waiting.length > 0 && (await this.#turn())) {
        const before = this.#waiting.length;
        if (!(await this.#send()) && this.#waiting.length <= before) return;
      }
    } finally {
      this.#delivery = undefined;
    }
  }

  /** Waits until the next message may leave; false when that is later than `close` waits. */
  async #turn(): Promise<boolean> {
    const { clock } = this.#run;
    const closing = this.#closing.signal;
    await this.#sleep(Math.max(this.#minuteEnds, this.#askedUntil) - clock.now(), closing);
    if (!closing.aborted) return true;
    // The last message need not wait for the minute, but Slack would refuse it before the time it named.
    const rest = this.#askedUntil - clock.now();
    if (rest > PATIENCE) return false;
    await this.#sleep(rest, this.#over.signal);
    return !this.#over.signal.aborted;
  }

  /** Waits `ms` or until `signal` is aborted. */
  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (ms > 0) await this.#run.clock.sleep(ms, signal).catch(() => undefined);
  }

  /** Sends one message; what it was to carry is kept when it fails. Returns whether it was taken. */
  async #send(): Promise<boolean> {
    const { clock, log } = this.#run;
    const count = this.#fitting();
    const text = this.#waiting.slice(0, count).join('\n');
    this.#minuteEnds = clock.now() + MINUTE;
    const answered = new AbortController();
    const late = new AbortController();
    void clock.sleep(PATIENCE, answered.signal).then(
      () => late.abort(new DOMException('no answer within 5 seconds', 'TimeoutError')),
      () => undefined,
    );
    try {
      const { status, wait, reason } = await this.#post(text, AbortSignal.any([late.signal, this.#over.signal]));
      if (status < 300) {
        this.#waiting.splice(0, count);
        return true;
      }
      if (GONE.has(status)) {
        this.#gone = true;
        this.#waiting = [];
        log.warn(
          'slack_disabled',
          `Slack does not know this webhook any more (${status}${reason}); nothing more is told to Slack in this run: create a new webhook and set slack_webhook_url`,
          { status },
        );
        return false;
      }
      if (wait !== undefined) this.#askedUntil = clock.now() + wait;
      log.warn('slack_failed', `Slack did not take a message (${status}${reason}); it is kept for the next one`, {
        status,
      });
    } catch (thrown) {
      log.warn('slack_failed', `Slack was not reached: ${textOf(thrown)}; the message is kept for the next one`);
    } finally {
      answered.abort();
    }
    return false;
  }

  /** How many of the waiting texts one message holds; at least one. */
  #fitting(): number {
    let length = 0;
    const first = this.#waiting.findIndex((text) => {
      length += text.length + 1;
      return length > LONGEST_TEXT;
    });
    return first === -1 ? this.#waiting.length : Math.max(1, first);
  }

  async #post(
    text: string,
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly wait: number | undefined; readonly reason: string }> {
    const { origin, pathname, search } = this.#url;
    const { statusCode, headers, body } = await api.request.call(this.#dispatcher, {
      origin,
      path: `${pathname}${search}`,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: escaped(text) }),
      signal,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const wait = retryAfter(headers['retry-after'], this.#run.clock.now());
    try {
      if (statusCode < 300) return { status: statusCode, wait, reason: '' };
      // Slack names its reason in a word; a proxy in between may send a whole page, of which the beginning will do.
      const first = await body[Symbol.asyncIterator]()
        .next()
        .catch(() => undefined);
      const text = sampleOf(String(first?.value ?? '').slice(0, LONGEST_REASON)).trim();
      return { status: statusCode, wait, reason: text === '' ? '' : `: ${text}` };
    } finally {
      body.on('error', () => undefined).destroy();
    }
  }
}

const LONGEST_REASON = 100;

/** Slack documents these three as its control characters: unescaped, a vendor's text could call a whole channel. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
