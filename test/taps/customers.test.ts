/** Customers of an MSP server: found by name, and kept apart in the state whatever they are called. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SWEEP_STATE_SCHEMA } from '../../http/sweep-state.ts';
import { compileSchema } from '../../singer/check.ts';
import { ConnectorError } from '../../singer/errors.ts';
import type { Json } from '../../singer/lossless.ts';
import { type Connection, judgeEnvelope } from '../../taps/manageengine/connection.ts';
import {
  bookmarkFor,
  customerNamed,
  customersOf,
  entrySchema,
  entryWith,
  isShared,
} from '../../taps/manageengine/customers.ts';
import { clientFor, type Reply, serve } from '../http/replies.ts';
import { memoryRun } from '../http/run.ts';

const PATH = '/api/1.4/desktop/customers';

/** A server whose list of customers is answered as told, page by page. */
async function server(answer: (page: number) => Reply): Promise<{ connection: Connection; asked: readonly string[] }> {
  const asked: string[] = [];
  const { url } = await serve((_number, request) => {
    asked.push(request.url ?? '');
    return answer(Number(new URL(request.url ?? '', 'http://list').searchParams.get('page') ?? 1));
  });
  const http = clientFor(memoryRun(), { judge: judgeEnvelope });
  return { connection: { http, baseUrl: url, close: () => http.close() } as Connection, asked };
}

const listed = (rows: readonly object[] | string, more: object = {}): Reply => ({
  body: `{"message_response":{"customers":${typeof rows === 'string' ? rows : JSON.stringify(rows)}${Object.entries(
    more,
  )
    .map(([name, value]) => `,"${name}":${JSON.stringify(value)}`)
    .join('')}},"status":"success"}`,
});

const row = (id: number) => ({ customer_id: id, customer_name: `Customer ${id}` });

async function refusal(promise: Promise<unknown>): Promise<ConnectorError> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  return thrown instanceof ConnectorError ? thrown : expect.fail(`not refused: ${String(thrown)}`);
}

describe('a customer', () => {
  it('is found by the exact name', async () => {
    const { connection, asked } = await server(() => listed([row(1), row(12)]));
    expect(await customerNamed(connection, 'Customer 12')).toMatchObject({ id: '12', name: 'Customer 12' });
    expect(asked).toEqual([PATH]);
  });

  it.each([
    ['a number of 17 digits', '[{"customer_id":52500000000000017,"customer_name":"One"}]', '52500000000000017'],
    ['text', '[{"customer_id":"0017","customer_name":"One"}]', '0017'],
    ['among rows that are none', '[7,null,{"customer_id":1},{"customer_id":3,"customer_name":"One"}]', '3'],
  ])('has the id digit for digit: %s', async (_what, rows, id) => {
    const { connection } = await server(() => listed(rows));
    expect((await customerNamed(connection, 'One')).id).toBe(id);
  });

  it('on a later page of the list is found', async () => {
    const all = Array.from({ length: 60 }, (_, at) => row(at + 1));
    const { connection, asked } = await server((page) =>
      listed(all.slice((page - 1) * 25, page * 25), { total: 60, limit: 25 }),
    );
    expect((await customerNamed(connection, 'Customer 51')).id).toBe('51');
    expect(asked).toHaveLength(3);
  });

  it.each([
    ['repeats its last page', (page: number) => listed([row(Math.min(page, 2))], { total: 5 })],
    ['begins again past its end', (page: number) => listed([row(((page - 1) % 2) + 1)], { total: '5' })],
    ['is empty past its end', (page: number) => listed(page > 2 ? [] : [row(page)], { total: 5 })],
    ['ignores the page', () => listed([row(1), row(2)], { total: 5 })],
  ])('is looked for to the end of a list that %s', async (_how, answer) => {
    const { connection, asked } = await server(answer);
    expect(await customersOf(connection)).toMatchObject([{ id: '1' }, { id: '2' }]);
    expect(asked.length).toBeLessThanOrEqual(3);
  });

  it('that is not there is told with the names that are, at most 20', async () => {
    const { connection } = await server(() => listed([row(1), row(2)]));
    expect(await refusal(customerNamed(connection, 'customer 1'))).toMatchObject({
      code: 'config',
      line: 'the server has no customer "customer 1" — it has "Customer 1", "Customer 2"',
    });
    const many = await server(() => listed(Array.from({ length: 33 }, (_, at) => row(at))));
    expect((await refusal(customerNamed(many.connection, 'x'))).line).toMatch(/"Customer 19" and 13 more$/);
  });

  it.each([
    ['an empty list', listed([])],
    ['no list', listed('{}')],
  ])('cannot be found in %s: the rights of the key are to be checked', async (_what, reply) => {
    const { connection } = await server(() => reply);
    expect((await refusal(customerNamed(connection, 'x'))).line).toMatch(/names no customer at all: check the rights/);
  });

  it.each([
    ['10022', { body: '{"error_code":"10022"}' }],
    ['404', { status: 404, body: '{}' }],
  ])('cannot be meant where the server has none (%s)', async (_how, reply) => {
    const { connection } = await server(() => reply);
    const { code, line } = await refusal(customerNamed(connection, 'x'));
    expect([code, line]).toEqual([
      'config',
      'this server has no customers — leave customer_name out: it is for MSP servers only',
    ]);
  });

  it('that the server cannot tell because it is broken is no wrong setting', async () => {
    const { connection } = await server(() => ({ status: 503 }));
    expect((await refusal(customerNamed(connection, 'x'))).code).toBe('upstream');
  });
});

describe('the state', () => {
  const mark = { next_page: 3 };
  const other = { next_page: 9 };

  it.each([
    ['nothing', undefined, 'A', undefined],
    ['nothing of another', { customers: { B: other } }, 'A', undefined],
    ['its own', { customers: { A: mark, B: other } }, 'A', mark],
    ['nothing of a server without customers', mark, 'A', undefined],
    ['nothing of customers, for a server without', { customers: { A: mark } }, undefined, undefined],
    ['what belongs to nobody, for a server without', { ...mark, customers: { A: other } }, undefined, mark],
    ['nothing that every object has', { customers: {} }, 'constructor', undefined],
    ['nothing that every object inherits from', { customers: {} }, '__proto__', undefined],
    ['what is not ours as it is', 7, 'A', 7],
  ])('holds for a customer %s', (_what, entry, customer, found) => {
    expect(bookmarkFor(entry as Json | undefined, customer)).toEqual(found);
  });

  it.each([
    ['a first bookmark', undefined, 'A', mark, { customers: { A: mark } }],
    ['beside another', { customers: { B: other } }, 'A', mark, { customers: { B: other, A: mark } }],
    [
      'in place of the one before',
      { customers: { A: other, B: other } },
      'A',
      mark,
      { customers: { B: other, A: mark } },
    ],
    ['beside one of nobody', other, 'A', mark, { ...other, customers: { A: mark } }],
    ['of nobody beside customers', { customers: { A: other } }, undefined, mark, { ...mark, customers: { A: other } }],
    ['of nobody in place of the one before', { finished: true }, undefined, mark, mark],
    ['none any more', { customers: { A: mark } }, 'A', undefined, undefined],
    ['none any more beside another', { customers: { A: mark, B: other } }, 'A', undefined, { customers: { B: other } }],
    ['nothing over what is not ours', 'theirs', 'A', mark, 'theirs'],
  ])('takes %s', (_what, entry, customer, bookmark, result) => {
    expect(entryWith(entry as Json | undefined, customer, bookmark)).toEqual(result);
  });

  it('gives back to each what was put in for him, whatever they are called, through a file', () => {
    const name = fc.oneof(
      fc.constantFrom('__proto__', 'constructor', 'toString', 'customers', 'next_page', ''),
      fc.string({ unit: 'grapheme' }),
    );
    const steps = fc.array(fc.tuple(fc.option(name, { nil: undefined }), fc.option(fc.nat(99), { nil: undefined })), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(steps, (puts) => {
        let entry: Json | undefined;
        const expected = new Map<string | undefined, number | undefined>();
        for (const [customer, page] of puts) {
          entry = entryWith(entry, customer, page === undefined ? undefined : { next_page: page });
          if (entry !== undefined) entry = JSON.parse(JSON.stringify(entry)) as Json;
          expected.set(customer, page);
        }
        for (const [customer, page] of expected)
          expect(bookmarkFor(entry, customer)).toEqual(page === undefined ? undefined : { next_page: page });
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['nobody', undefined, ['A'], false],
    ['him alone', { customers: { A: mark } }, ['A'], false],
    ['him and another', { customers: { A: mark, B: other } }, ['A'], true],
    ['another alone', { customers: { B: other } }, ['A'], true],
    ['him and a time without customers', { ...mark, customers: { A: mark } }, ['A'], true],
    ['all who are read', { customers: { A: mark, B: other } }, ['A', 'B'], false],
    ['a server without customers', mark, [undefined], false],
    ['customers, when none is meant', { customers: { A: mark } }, [undefined], true],
    ['something that is not ours', 7, ['A'], false],
  ])('knows whether rows are shared: it holds %s', (_what, entry, wanted, shared) => {
    expect(isShared(entry as Json | undefined, wanted)).toBe(shared);
  });

  it('is checked for each customer', () => {
    const problems = compileSchema(entrySchema(SWEEP_STATE_SCHEMA));
    const good = { page_size: 25, total: 3, total_at_next: 3, next_page: 1, distinct: 3, gaps: [], finished: true };
    expect(problems(good)).toEqual([]);
    expect(problems({ customers: { A: good, B: good } })).toEqual([]);
    expect(problems({ customers: { A: good, B: { ...good, gaps: 'many' } } })).not.toEqual([]);
    expect(problems({ customers: [] })).not.toEqual([]);
    expect(problems({ ...good, next_page: 0 })).not.toEqual([]);
  });
});
