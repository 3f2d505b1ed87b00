/** Endpoints that are read once per row of another: order, failures, and never two requests at a time. */
import { describe, expect, it } from 'vitest';
import { childReader } from '../../http/child-pages.ts';
import type { Http } from '../../http/exchange.ts';
import { HttpFailure } from '../../http/judge.ts';
import { sweepPages } from '../../http/numbered-pages.ts';
import type { ChildrenRead, NumberedEndpoint } from '../../http/page-reader.ts';
import type { SweepState } from '../../http/sweep-state.ts';
import { Stop } from '../../singer/io.ts';
import type { Row } from '../../singer/lossless.ts';
import { judgeEnvelope } from '../../taps/manageengine/connection.ts';
import { folder } from '../singer/folder.ts';
import { HOSTILE } from '../taps/extraction.ts';
import { endpointOf, ListServer } from './list-server.ts';
import { clientFor, type Reply, serve } from './replies.ts';
import { type MemoryRun, memoryRun } from './run.ts';

interface Asked {
  readonly parent: string;
  readonly page: number;
}

interface Server {
  readonly run: MemoryRun;
  readonly http: Http;
  readonly asked: Asked[];
  /** The most requests that were open at a time. */
  readonly most: () => number;
  readonly endpointOf: (parent: Row) => NumberedEndpoint;
  readonly parents: NumberedEndpoint;
}

const SIZE = 3;
const files = folder();

/**
 * A server of parents `p0`, `p1`, …, each with that many children, three rows a page. `act` may answer in its own way,
 * or not at all (`'hang'`); the list of the parents themselves is asked for with an empty name.
 */
async function server(
  sizes: readonly number[],
  act: (asked: Asked, run: MemoryRun) => Reply | 'hang' | undefined = () => undefined,
): Promise<Server> {
  const run = memoryRun();
  const asked: Asked[] = [];
  let open = 0;
  let most = 0;
  const { url } = await serve((_number, request, response): Reply | undefined => {
    open += 1;
    most = Math.max(most, open);
    response.once('close', () => {
      open -= 1;
    });
    const query = new URL(request.url ?? '', 'http://list').searchParams;
    const one = { parent: query.get('parent') ?? '', page: Number(query.get('page')) };
    asked.push(one);
    const acted = act(one, run);
    if (acted !== undefined) return acted === 'hang' ? undefined : acted;
    const all =
      one.parent === ''
        ? sizes.map((_, index) => ({ id: `p${index}` }))
        : Array.from({ length: sizes[Number(one.parent.slice(1))] ?? 0 }, (_, at) => ({ id: `${one.parent}.${at}` }));
    const rows = all.slice((one.page - 1) * SIZE, one.page * SIZE);
    // Two turns later, so that a second request would have time to come in.
    setImmediate(() => setImmediate(() => response.end(JSON.stringify({ rows, total: all.length, size: SIZE }))));
    return undefined;
  });
  const http = clientFor(run, { judge: judgeEnvelope, retry: { attempts: 2 }, ...(HOSTILE && { smallBody: 0 }) });
  const list = { ...endpointOf(new ListServer(0, SIZE)), url };
  const of = ({ id }: Row): NumberedEndpoint => ({
    ...list,
    query: (page) => ({ page, parent: String(id) }),
    parent: String(id),
  });
  const parents = { ...list, children: childReader(of, http, run) };
  return { run, http, asked, most: () => most, endpointOf: of, parents };
}

const rowsOf = (...names: readonly string[]): readonly Row[] => names.map((id) => ({ id }));

/** Reads these parents to the end. */
async function followed(
  { endpointOf: of, http, run }: Server,
  parents: readonly Row[],
): Promise<ChildrenRead & { readonly ids: readonly string[] }> {
  const ids: string[] = [];
  const reading = childReader(of, http, run)(parents);
  for (;;) {
    const step = await reading.next();
    if (step.done === true) return { ...step.value, ids };
    ids.push(...step.value.map(({ id }) => String(id)));
  }
}

/** One run over the parents and what belongs to them. */
async function swept(
  { parents, http, run }: Server,
  since?: SweepState,
): Promise<{ readonly ids: readonly string[]; readonly states: readonly SweepState[] }> {
  const ids: string[] = [];
  const states: SweepState[] = [];
  for await (const page of sweepPages(parents, http, since, { pagesPerRun: 0, checkpointPages: 1 }, run)) {
    for await (const group of page.rows) ids.push(...group.map(({ id }) => String(id)));
    states.push(page.state);
  }
  return { ids, states };
}

const FORBIDDEN: Reply = { status: 400, body: '{"status":"error"}' };

describe('the rows of the parents', () => {
  it('are followed up in order, all pages of one before the next', async () => {
    const source = await server([4, 0, 1]);
    const { ids, read, failures } = await followed(source, rowsOf('p0', 'p1', 'p2'));
    expect(ids).toEqual(['p0.0', 'p0.1', 'p0.2', 'p0.3', 'p2.0']);
    expect([read, failures]).toEqual([rowsOf('p0', 'p1', 'p2'), []]);
    expect(source.asked.map(({ parent, page }) => `${parent} ${page}`)).toEqual(['p0 1', 'p0 2', 'p1 1', 'p2 1']);
  });

  it('take the place of the parents, page by page, with one request at a time', async () => {
    const source = await server([4, 0, 1, 7, 2]);
    const { ids, states } = await swept(source);
    expect(ids).toHaveLength(14);
    expect(ids).not.toContain('p0');
    expect(states.at(-1)).toMatchObject({ total: 5, distinct: 5, next_page: 3, gaps: [], finished: true });
    const names = source.asked.map(({ parent, page }) => `${parent} ${page}`);
    expect(names).toEqual([' 1', 'p0 1', 'p0 2', 'p1 1', 'p2 1', ' 2', 'p3 1', 'p3 2', 'p3 3', 'p4 1']);
    expect(source.most()).toBe(1);
  });

  it('tell nothing of their pages: thousands of reports would drown the log', async () => {
    const source = await server([4, 9, 1]);
    await swept(source);
    const progress = source.run.events('extraction_progress');
    expect(progress.map(({ message }) => message)).toEqual(['list: page 1 of 1, 3 of 3']);
    // Their pages are no pages of the stream.
    await source.run.metrics.save(files.at('metrics.prom'));
    expect(files.read('metrics.prom')).toMatch(/^tapworks_pages_total\{[^}]*outcome="read"[^}]*\} 1$/m);
  });
});

describe('a parent that cannot be read', () => {
  it('is told with its failure, and the others are read', async () => {
    const source = await server([1, 1, 1], ({ parent }) => (parent === 'p1' ? { status: 503 } : undefined));
    const { ids, read, failures } = await followed(source, rowsOf('p0', 'p1', 'p2'));
    expect(ids).toEqual(['p0.0', 'p2.0']);
    expect(read).toEqual(rowsOf('p0', 'p2'));
    expect(failures).toMatchObject([{ type: '5xx_server_error', message: 'the server failed (503)' }]);
  });

  it('is unread as a whole when its last page is missing', async () => {
    const source = await server([7, 1], ({ parent, page }) =>
      parent === 'p0' && page === 3 ? { body: '{"rows":[' } : undefined,
    );
    const { ids, read, failures } = await followed(source, rowsOf('p0', 'p1'));
    expect(ids).toEqual(['p0.0', 'p0.1', 'p0.2', 'p0.3', 'p0.4', 'p0.5', 'p1.0']);
    expect(read).toEqual(rowsOf('p1'));
    expect(failures).toMatchObject([{ type: 'json_parse_error' }]);
    expect(failures[0]).toBeInstanceOf(HttpFailure);
  });

  it('is tried once more within the run when a later page failed', async () => {
    let failed = 0;
    const source = await server([7], ({ page }) => {
      if (page !== 2 || failed === 2) return undefined;
      failed += 1;
      return { status: 503 };
    });
    const { read, failures, ids } = await followed(source, rowsOf('p0'));
    expect([read, failures]).toEqual([rowsOf('p0'), []]);
    expect(new Set(ids).size).toBe(7);
  });

  it('leaves its page of parents as a gap that says how many, why, and what came', async () => {
    const source = await server([1, 1, 1, 1, 1], ({ parent }) =>
      parent === 'p1' || parent === 'p2' ? FORBIDDEN : undefined,
    );
    const { ids, states } = await swept(source);
    expect(new Set(ids)).toEqual(new Set(['p0.0', 'p3.0', 'p4.0']));
    expect(states.at(-1)).toMatchObject({
      distinct: 3,
      total: 5,
      finished: true,
      gaps: [
        {
          page: 1,
          error_type: 'contract_error',
          error_message: expect.stringMatching(/^2 of 3 could not be read, the first: .*"error"/),
          response_sample: FORBIDDEN.body,
          attempts: 2,
        },
      ],
    });
    // The gap is one of the stream, which is told.
    expect(source.run.events('gap_logged').map(({ fields }) => fields.page)).toEqual([1, 1]);
  });

  it('is found by the next run, which reads nothing but its page', async () => {
    let healed = false;
    const source = await server([1, 1, 1, 1, 1], ({ parent }) => (!healed && parent === 'p4' ? FORBIDDEN : undefined));
    const { states } = await swept(source);
    expect(states.at(-1)?.gaps).toHaveLength(1);
    healed = true;
    source.asked.length = 0;
    const again = await swept(source, states.at(-1));
    expect(again.ids).toEqual(['p3.0', 'p4.0']);
    expect(again.states.at(-1)).toMatchObject({ distinct: 5, gaps: [], finished: true });
    expect(source.asked).toEqual([
      { parent: '', page: 2 },
      { parent: 'p3', page: 1 },
      { parent: 'p4', page: 1 },
    ]);
  });

  it('because the network is gone, after others were read, is a failure of its own', async () => {
    const source = await server([1, 1, 1], ({ parent }) => (parent === 'p1' ? 'hang' : undefined));
    const http = clientFor(source.run, { retry: { attempts: 1, timeout: 150 } });
    const { read, failures } = await followed({ ...source, http }, rowsOf('p0', 'p1', 'p2'));
    expect(read).toEqual(rowsOf('p0', 'p2'));
    expect(failures).toMatchObject([{ type: 'network_timeout' }]);
  });
});

describe('what concerns the endpoint', () => {
  const ends: readonly (readonly [string, Reply, object])[] = [
    [
      'the endpoint is not offered',
      { body: '{"error_code":"10022","error_description":"unsupported"}' },
      { reaction: 'unavailable' },
    ],
    ['there is no such path', { status: 404, body: '{}' }, { reaction: 'unavailable' }],
    ['a sign-in page comes', { body: '<html><form><input type="password">' }, { reaction: 'login' }],
  ];

  it.each(ends)('ends the reading: %s', async (_name, reply, failure) => {
    const source = await server([1, 1], ({ parent }) => (parent === '' ? undefined : reply));
    await expect(swept(source)).rejects.toMatchObject(failure);
    expect(new Set(source.asked.map(({ parent }) => parent))).toEqual(new Set(['', 'p0']));
  });

  it('a server that never answered ends it too', async () => {
    const source = await server([1, 1], () => 'hang');
    const http = clientFor(source.run, { retry: { attempts: 1, timeout: 150 } });
    await expect(followed({ ...source, http }, rowsOf('p0', 'p1'))).rejects.toMatchObject({ type: 'network_timeout' });
    expect(source.asked).toHaveLength(1);
  });
});

describe('a stop', () => {
  it('between two parents ends the reading; the page of parents counts as unread', async () => {
    const source = await server([1, 1, 1], ({ parent }, run) => {
      if (parent === 'p1') run.stop();
      return undefined;
    });
    await expect(followed(source, rowsOf('p0', 'p1', 'p2'))).rejects.toBeInstanceOf(Stop);
    expect(source.asked.map(({ parent }) => parent)).toEqual(['p0', 'p1']);
  });

  it('leaves a state that begins with the page of parents it struck', async () => {
    const source = await server([1, 1, 1, 1, 1], ({ parent }, run) => {
      if (parent === 'p4') run.stop();
      return undefined;
    });
    const { states } = await swept(source);
    expect(states.at(-1)).toMatchObject({ next_page: 2, distinct: 3, gaps: [], finished: false });
  });
});
