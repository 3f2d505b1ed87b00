/** TLS, proxies, time limits and broken connections, over real sockets. */
import { createServer as createHttp, type Server } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { openDispatcher } from '../../http/wire.ts';
import { type Certificate, selfSigned } from './certificate.ts';
import { ask, clientFor, closeLater, inTurn, OK, serve } from './replies.ts';
import { memoryRun } from './run.ts';

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closeLater(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

describe('TLS', () => {
  let certificate: Certificate;
  beforeAll(() => {
    certificate = selfSigned();
  });

  const secure = async () =>
    `https://127.0.0.1:${await listen(createHttps(certificate, (_request, response) => response.end(OK.body)))}`;

  it('refuses a certificate that nobody vouches for, at once and with a hint', async () => {
    const run = memoryRun();
    const asked = ask(clientFor(run), await secure());
    await expect(asked).rejects.toMatchObject({
      reaction: 'fail',
      type: 'network_error',
      message: expect.stringContaining('certificate'),
      hint: expect.stringContaining('ca_file'),
    });
    expect(run.clock.sleeps).toEqual([]);
  });

  it('trusts the authority in ca_file', async () => {
    const http = clientFor(memoryRun(), { caFile: certificate.caFile });
    expect((await ask(http, await secure())).rows).toEqual([{ id: 1 }]);
  });

  it('trusts anybody when verify_tls is false', async () => {
    expect((await ask(clientFor(memoryRun(), { verifyTls: false }), await secure())).rows).toEqual([{ id: 1 }]);
  });

  it('says which ca_file cannot be read', () => {
    expect(() => openDispatcher({ caFile: '/not/there.pem', env: {} })).toThrow(
      /ca_file \/not\/there\.pem cannot be read/,
    );
  });

  it('works through a proxy too, with ca_file and without verification', async () => {
    const seen: string[] = [];
    const proxy = createHttp().on('connect', (request, socket, head) => {
      seen.push(request.url ?? '');
      const [host = '', port] = (request.url ?? '').split(':');
      const upstream = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        upstream.write(head);
        upstream.pipe(socket).pipe(upstream);
      });
      for (const end of [upstream, socket]) end.on('error', () => end.destroy());
      closeLater(async () => {
        upstream.destroy();
        socket.destroy();
      });
    });
    const env = { HTTPS_PROXY: `http://127.0.0.1:${await listen(proxy)}` };
    const url = await secure();
    expect((await ask(clientFor(memoryRun(), { env, caFile: certificate.caFile }), url)).rows).toEqual([{ id: 1 }]);
    expect((await ask(clientFor(memoryRun(), { env, verifyTls: false }), url)).rows).toEqual([{ id: 1 }]);
    await expect(ask(clientFor(memoryRun(), { env }), url)).rejects.toMatchObject({
      reaction: 'fail',
      message: expect.stringContaining('certificate'),
    });
    expect(seen).toEqual(Array(3).fill(new URL(url).host));
  });
});

describe('HTTP_PROXY and NO_PROXY', () => {
  async function proxied() {
    const seen: string[] = [];
    const answerAll = (server: Server) =>
      server
        .on('request', (request, response) => {
          seen.push(String(request.url));
          response.end(OK.body);
        })
        .on('connect', (request, socket, head) => {
          seen.push(String(request.url));
          const [host = '', port] = String(request.url).split(':');
          const upstream = connect(Number(port), host, () => {
            socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
            upstream.write(head);
            upstream.pipe(socket).pipe(upstream);
          });
          for (const end of [upstream, socket]) end.on('error', () => end.destroy());
          closeLater(async () => {
            upstream.destroy();
            socket.destroy();
          });
        });
    return { seen, proxy: `http://127.0.0.1:${await listen(answerAll(createHttp()))}`, server: await inTurn(OK) };
  }

  it.each(['HTTP_PROXY', 'http_proxy'])('%s is used', async (name) => {
    const { seen, proxy, server } = await proxied();
    await ask(clientFor(memoryRun(), { env: { [name]: proxy } }), server.url);
    expect(seen.join()).toContain(new URL(server.url).host);
  });

  it('NO_PROXY is left out', async () => {
    const { seen, proxy, server } = await proxied();
    await ask(clientFor(memoryRun(), { env: { HTTP_PROXY: proxy, NO_PROXY: 'example.org,127.0.0.1' } }), server.url);
    expect(seen).toEqual([]);
    expect(server.requests).toHaveLength(1);
  });

  it('the environment of the process alone decides nothing', async () => {
    const { seen, server } = await proxied();
    await ask(clientFor(memoryRun(), { env: {} }), server.url);
    expect(seen).toEqual([]);
  });
});

const BIG = JSON.stringify({
  rows: Array.from({ length: 6_000 }, (_, id) => ({ id, text: 'x'.repeat(80) })),
  total: 6_000,
});

describe('an attempt', () => {
  it('that gets no answer ends at its limit and is tried again', async () => {
    const server = await serve((number) => (number < 3 ? undefined : OK));
    const http = clientFor(memoryRun(), { retry: { timeout: 250 } });
    expect((await ask(http, server.url)).rows).toEqual([{ id: 1 }]);
    expect(server.requests).toHaveLength(3);
  });

  it.each([0, 300_000])(
    'that stops in the middle of its body ends at its limit (small bodies up to %i)',
    async (smallBody) => {
      const server = await serve((_number, _request, response) => {
        response.write(BIG.slice(0, 200_000));
        return undefined;
      });
      const asked = ask(clientFor(memoryRun(), { smallBody, retry: { timeout: 250, attempts: 2 } }), server.url);
      await expect(asked).rejects.toMatchObject({ type: 'network_timeout', reaction: 'retry' });
      expect(server.requests).toHaveLength(2);
    },
  );

  it.each([0, 20, 150_000])(
    'that is reset after %i bytes is a network error, however the body is read',
    async (bytes) => {
      for (const smallBody of [0, 300_000]) {
        const server = await serve((_number, _request, response) => {
          response.socket?.setNoDelay(true);
          const reset = () => setImmediate(() => response.socket?.resetAndDestroy());
          if (bytes === 0) reset();
          else response.writeHead(200, { 'content-length': BIG.length }).write(BIG.slice(0, bytes), reset);
          return undefined;
        });
        const asked = ask(clientFor(memoryRun(), { smallBody, retry: { attempts: 2 } }), server.url);
        await expect(asked).rejects.toMatchObject({ type: 'network_error', reaction: 'retry' });
        expect(server.requests).toHaveLength(2);
      }
    },
  );

  it('that ends before its content-length is an error, never a short page', async () => {
    const server = await serve((_number, _request, response) => {
      response.writeHead(200, { 'content-length': BIG.length }).write(BIG.slice(0, 100), () => response.socket?.end());
      return undefined;
    });
    await expect(ask(clientFor(memoryRun(), { retry: { attempts: 1 } }), server.url)).rejects.toMatchObject({
      reaction: 'retry',
    });
  });

  it('is not timed out by a slow reader of its rows', async () => {
    const server = await serve((_number, _request, response) => {
      response.write(BIG.slice(0, 300_000));
      setImmediate(() => response.end(BIG.slice(300_000)));
      return undefined;
    });
    const http = clientFor(memoryRun(), { smallBody: 0, retry: { timeout: 250 } });
    const groups = http.exchange({ url: server.url, rows: ['rows'], where: {} });
    let rows = 0;
    let waited = 0;
    for (;;) {
      const step = await groups.next();
      if (step.done === true) break;
      rows += step.value.length;
      // Twice the limit in all, spent by the reader.
      if (waited < 500) {
        await new Promise((resolve) => setTimeout(resolve, 125));
        waited += 125;
      }
    }
    expect(waited).toBe(500);
    expect(rows).toBe(6_000);
    expect(server.requests).toHaveLength(1);
  });

  it('that nobody reads to its end leaves no connection behind', async () => {
    const server = await inTurn({ body: BIG });
    const http = clientFor(memoryRun(), { smallBody: 0 });
    const groups = http.exchange({ url: server.url, rows: ['rows'], where: {} });
    await groups.next();
    await groups.return({ value: null, found: false });
    await http.close();
  });

  it.each([0, 10_000_000])('that breaks off has brought no row (small bodies up to %i)', async (smallBody) => {
    const server = await serve((_number, _request, response) => {
      response.end(BIG.slice(0, -10));
      return undefined;
    });
    const http = clientFor(memoryRun(), { smallBody, retry: { attempts: 1 } });
    const groups = http.exchange({ url: server.url, rows: ['rows'], where: {} });
    await expect(groups.next()).rejects.toMatchObject({ type: 'json_parse_error' });
    await http.close();
  });

  it('with garbage in a large body leaves no connection behind', async () => {
    const server = await serve((_number, _request, response) => {
      response.write(`{"rows":[{"id":1},oops${'x'.repeat(700_000)}`);
      return undefined;
    });
    const http = clientFor(memoryRun(), { retry: { attempts: 1 } });
    await expect(ask(http, server.url)).rejects.toMatchObject({ type: 'json_parse_error' });
    await http.close();
  });

  it('with a large page instead of data leaves no connection behind', async () => {
    const server = await serve((_number, _request, response) => {
      response.write(`<html>${'x'.repeat(700_000)}`);
      return undefined;
    });
    const http = clientFor(memoryRun(), { retry: { attempts: 1 } });
    await expect(ask(http, server.url)).rejects.toMatchObject({ type: 'html_response' });
    await http.close();
  });

  it('reads a large answer without rows whole, characters unharmed', async () => {
    const value = { text: 'ü🙂'.repeat(100_000) };
    const server = await inTurn({ body: JSON.stringify(value) });
    expect((await ask(clientFor(memoryRun()), server.url, null)).rest).toEqual(value);
  });

  it('reads large and small bodies alike', async () => {
    const server = await inTurn({ body: BIG });
    const small = await ask(clientFor(memoryRun(), { smallBody: 10_000_000 }), server.url);
    const large = await ask(clientFor(memoryRun(), { smallBody: 0 }), server.url);
    expect(large).toEqual(small);
    expect(small.rows).toHaveLength(6_000);
  });
});

describe('a request with all its attempts and waits', () => {
  it('is bounded by a deadline of the run clock', async () => {
    const run = memoryRun();
    const server = await serve((_number, _request, response) => {
      response.write(BIG.slice(0, 300_000));
      setImmediate(() => response.end(BIG.slice(300_000)));
      return undefined;
    });
    const http = clientFor(run, { smallBody: 0 });
    const groups = http.exchange({ url: server.url, rows: ['rows'], where: {} });
    await groups.next();
    run.clock.advance(3 * (5_000 + 600_000) + 60_001);
    await expect(groups.next()).rejects.toMatchObject({ type: 'network_timeout', reaction: 'fail' });
    await http.close();
  });
});
