import type { Answer } from './envelopes.ts';

/** A message that a Slack incoming webhook received. */
export interface SlackMessage {
  /** Virtual epoch milliseconds of the default tenant. */
  readonly at: number;
  readonly text: string;
  /** The whole body; as text when it is not JSON. */
  readonly body: unknown;
}

/** How the webhook treats what it receives. */
export interface SlackBehaviour {
  readonly status: number;
  /** Real milliseconds before the answer. */
  readonly delay_ms: number;
  /** No answer ever. */
  readonly hang: boolean;
}

const GOOD: SlackBehaviour = { status: 200, delay_ms: 0, hang: false };

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** A Slack incoming webhook. Every message is kept, also those that it answers badly. */
export class SlackInbox {
  #messages: SlackMessage[] = [];
  #behaviour = GOOD;

  get messages(): readonly SlackMessage[] {
    return this.#messages;
  }

  get behaviour(): SlackBehaviour {
    return this.#behaviour;
  }

  /** Changes the behaviour; what is not named goes back to normal. @throws Error that says what is wrong. */
  behave(change: unknown): SlackBehaviour {
    if (!isObject(change)) throw new Error('send {"status": 200, "delay_ms": 0, "hang": false}, or a part of it');
    for (const [key, value] of Object.entries(change)) {
      const present = Object.entries(GOOD).find(([name]) => name === key)?.[1];
      if (present === undefined) throw new Error(`unknown key "${key}"; known keys: ${Object.keys(GOOD).join(', ')}`);
      if (typeof value !== typeof present) throw new Error(`${key} must be a ${typeof present}`);
    }
    this.#behaviour = { ...GOOD, ...change };
    return this.#behaviour;
  }

  /** Forgets all messages and behaves normally. Returns how many there were. */
  clear(): number {
    this.#behaviour = GOOD;
    return this.#messages.splice(0).length;
  }

  /** Receives a body and answers as Slack does, in plain text. */
  receive(text: string, now: number): Answer {
    const body = parsed(text);
    const said = isObject(body) && typeof body.text === 'string' ? body.text : '';
    this.#messages.push({ at: now, text: said, body });
    const { status } = this.#behaviour;
    if (!isObject(body) && status === 200) return plain(400, 'invalid_payload');
    return plain(status, status === 200 ? 'ok' : status === 404 ? 'no_service' : 'server_error');
  }
}

function plain(status: number, body: string): Answer {
  return { status, body, headers: { 'content-type': 'text/plain' } };
}
