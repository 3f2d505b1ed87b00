/** Requests per row of another list, several at a time, answered in the order of the rows. */
import { inOrder } from '../../http/in-order.ts';
import { HttpFailure } from '../../http/judge.ts';
import { ConnectorError } from '../../singer/errors.ts';
import type { Json } from '../../singer/lossless.ts';
import { kindOf } from './failures.ts';
import type { VendorRow } from './records.ts';
import { record, wholeList } from './rest.ts';
import type { Reading } from './stream.ts';

/** What is asked for once per parent. */
export interface ChildQuestion {
  readonly stream: string;
  /** `list`: the children of a parent; `record`: one record beside it. */
  readonly kind: 'list' | 'record';
  path(parent: string): string;
  query?(parent: string): Readonly<Record<string, string>>;
}

/** The answer for one parent. `gone`: Plex has nothing there; `unread`: it failed and has to be asked again. */
export type ChildAnswer =
  | { readonly parent: string; readonly outcome: 'read'; readonly rows: readonly VendorRow[] }
  | { readonly parent: string; readonly outcome: 'gone' }
  | { readonly parent: string; readonly outcome: 'unread'; readonly failure: HttpFailure };

export class Children {
  readonly #reading: Reading;
  readonly #question: ChildQuestion;
  readonly #told = new Set<string>();
  /** The last failure after which a parent is still to be asked for. */
  failure: HttpFailure | undefined;
  unread = 0;

  constructor(reading: Reading, question: ChildQuestion) {
    this.#reading = reading;
    this.#question = question;
  }

  /**
   * Asks for the children of `parents`. A refusal is final and told once per wording, since asking again would get the same.
   * @throws HttpFailure when the key may not ask at all.
   */
  async *read(parents: readonly string[]): AsyncGenerator<ChildAnswer> {
    const width = this.#reading.settings.concurrent_requests as number;
    for await (const answer of inOrder(parents, width, (parent) => this.#ask(parent))) {
      if (answer.outcome === 'unread') {
        this.failure = answer.failure;
        this.unread += 1;
      }
      yield answer;
    }
  }

  /** The failure of the stream, if parents are left. */
  get incomplete(): ConnectorError | undefined {
    if (this.failure === undefined) return undefined;
    const { stream } = this.#question;
    const text = `${this.unread} requests of ${stream} failed, the last one so: ${this.failure.message}`;
    return new ConnectorError('upstream', text, this.failure.where, {
      cause: this.failure,
      hint: 'what is missing stands in the state and is read by the next run',
    });
  }

  async #ask(parent: string): Promise<ChildAnswer> {
    const { stream, kind, path, query } = this.#question;
    const { rest } = this.#reading.connection;
    const question = { stream, path: path(parent), parent, ...(query !== undefined && { query: query(parent) }) };
    try {
      const rows = kind === 'list' ? await wholeList(rest, question) : [await record(rest, question)];
      return { parent, outcome: 'read', rows };
    } catch (thrown) {
      if (!(thrown instanceof HttpFailure)) throw thrown;
      const failure = kindOf(thrown);
      if (failure === 'access') throw thrown;
      if (failure === 'absent') return { parent, outcome: 'gone' };
      if (failure !== 'refused') return { parent, outcome: 'unread', failure: thrown };
      this.#tellRefusal(parent, thrown);
      return { parent, outcome: 'gone' };
    }
  }

  #tellRefusal(parent: string, { message }: HttpFailure): void {
    if (this.#told.has(message)) return;
    this.#told.add(message);
    const { stream } = this.#question;
    const text = `${stream}: ${message}; the first of these is ${parent}, others are not told`;
    this.#reading.run.log.warn('child_refused', text, { stream, parent });
  }
}

/** Ids in a bookmark. */
export function idsIn(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((id): id is string => typeof id === 'string') : [];
}

/** Parents that stay between two checkpoints, so that a killed run asks few of them again. */
const CHECKPOINT_PARENTS = 100;
/** A long list is written into fewer states: each of them holds all that is left. */
const CHECKPOINTS = 50;

/** Parents in the portions of a checkpoint. */
export function* portions(parents: readonly string[]): Generator<readonly string[]> {
  const size = Math.max(CHECKPOINT_PARENTS, Math.ceil(parents.length / CHECKPOINTS));
  for (let at = 0; at < parents.length; at += size) yield parents.slice(at, at + size);
}
