/** A TCP proxy in front of a server, for tests of connections that break. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  /** The server's URL, by way of the proxy. */
  readonly url: string;
  /** Connections so far. */
  readonly connections: number;
  /** Connections that are open now. */
  readonly open: number;
  /** Breaks every open connection. Later ones work. */
  cut(): void;
  /**
   * Breaks a connection instead of passing on the first bytes for which the condition holds, and then forgets the
   * condition: so a COMMIT is lost on its way there (`client`), or the answer to one that was made (`server`).
   */
  cutWhen(condition: (bytes: Buffer, from: 'client' | 'server') => boolean): void;
  /** Keeps connections open, and takes new ones, but passes nothing on: a network that went silent. */
  hold(): void;
  /** Passes on what was held back, and goes on. */
  release(): void;
  /** Refuses new connections until `accept`; open ones go on. */
  refuse(): void;
  accept(): void;
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** @param target URL of the server, with host and port; all other parts of it are kept. */
export async function openProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const pairs = new Set<Pair>();
  let connections = 0;
  let condition: Parameters<TcpProxy['cutWhen']>[0] = () => false;
  let held = false;
  let refusing = false;

  const end = (pair: Pair) => {
    pairs.delete(pair);
    // A reset, not an orderly end: what the peer has sent meanwhile is lost as it is with a broken line.
    pair.client.resetAndDestroy();
    pair.server.destroy();
  };
  const flow = (pair: Pair) => {
    for (const socket of [pair.client, pair.server]) held ? socket.pause() : socket.resume();
  };

  const listener = createServer((client) => {
    if (refusing) {
      client.resetAndDestroy();
      return;
    }
    connections += 1;
    const pair = { client, server: connect(Number(port), hostname) };
    pairs.add(pair);
    for (const [side, from, to] of [
      ['client', client, pair.server],
      ['server', pair.server, client],
    ] as const) {
      from.setNoDelay(true);
      from.on('data', (chunk: Buffer) => {
        if (condition(chunk, side)) {
          condition = () => false;
          end(pair);
          return;
        }
        if (!to.write(chunk)) {
          from.pause();
          to.once('drain', () => held || from.resume());
        }
      });
      from.on('end', () => to.end());
      from.on('error', () => end(pair));
      from.on('close', () => {
        pairs.delete(pair);
        to.destroySoon();
      });
    }
    flow(pair);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String((listener.address() as AddressInfo).port);

  const cut = () => {
    for (const pair of pairs) end(pair);
  };
  return {
    url: url.href,
    get connections() {
      return connections;
    },
    get open() {
      return pairs.size;
    },
    cut,
    cutWhen(wanted) {
      condition = wanted;
    },
    hold() {
      held = true;
      pairs.forEach(flow);
    },
    release() {
      held = false;
      pairs.forEach(flow);
    },
    refuse() {
      refusing = true;
    },
    accept() {
      refusing = false;
    },
    async close() {
      cut();
      listener.close();
      await once(listener, 'close');
    },
  };
}
