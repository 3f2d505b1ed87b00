/** A webhook of Slack's kind: a real server that keeps the texts it is sent. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text as textOfBody } from 'node:stream/consumers';
import { type Reply, serve } from './replies.ts';

/** Of the shape that Slack documents for webhooks; whoever knows the last part can post. */
export const SECRET = 'inventedInventedInvented';
export const PATH = `/services/T00000000/B00000000/${SECRET}`;

/** `'hang'`: the message arrives and is never answered. */
export type Answer = Reply | 'hang';

export interface Webhook {
  readonly url: string;
  readonly requests: readonly IncomingMessage[];
  /** Texts that arrived, answered or not. */
  readonly texts: readonly string[];
  /** Resolves when this many have arrived. */
  arrived(count: number): Promise<void>;
}

/** A webhook that answers in turn; the last answer stays. */
export async function webhook(...answers: readonly Answer[]): Promise<Webhook> {
  const texts: string[] = [];
  let tell: () => void = () => undefined;
  const handle = async (number: number, request: IncomingMessage, response: ServerResponse) => {
    const { text } = JSON.parse(await textOfBody(request)) as { text: string };
    texts.push(text);
    tell();
    const answer = answers[Math.min(number, answers.length) - 1] ?? { body: 'ok' };
    if (answer !== 'hang') response.writeHead(answer.status ?? 200, { ...answer.headers }).end(answer.body ?? 'ok');
  };
  const { url, requests } = await serve((number, request, response) => {
    void handle(number, request, response);
    return undefined;
  });
  return {
    url: `${url}${PATH}`,
    requests,
    texts,
    async arrived(count) {
      while (texts.length < count) await new Promise<void>((resolve) => (tell = resolve));
    },
  };
}
