/**
 * Customers of an MSP server. The state keeps the bookmarks of each apart, so that no run ever goes on with somebody
 * else's page numbers.
 */
import { answer } from '../../http/exchange.ts';
import { HttpFailure } from '../../http/judge.ts';
import { ConnectorError } from '../../singer/errors.ts';
import { isObject, isRawNumber, type Json } from '../../singer/lossless.ts';
import type { JsonSchema } from '../../singer/messages.ts';
import type { Connection } from './connection.ts';
import type { Customer } from './families.ts';

/** ManageEngine lists the customers of an MSP server here. */
const CUSTOMERS = '/api/1.4/desktop/customers';

/** Names told in an error line; a provider may have hundreds. */
const NAMES_TOLD = 20;

/**
 * All customers of the server, in its order; empty when it lists none.
 * @throws HttpFailure when the list cannot be read; `isAbsence` tells a server without customers from trouble.
 */
export async function customersOf(connection: Connection, probe = false): Promise<readonly Customer[]> {
  const found: Customer[] = [];
  for (let page = 1; ; page += 1) {
    const response = await answer(connection.http.exchange, {
      url: new URL(CUSTOMERS, connection.baseUrl).href,
      object: ['message_response'],
      where: { path: CUSTOMERS },
      // The first page is asked for as the vendor documents it, without paging.
      ...(page > 1 && { query: { page } }),
      ...(probe && { probe }),
    });
    const rows = Array.isArray(response.customers) ? response.customers : [];
    const before = new Set(found.map(({ id }) => id));
    const fresh = rows.flatMap(customerIn).filter(({ id }) => !before.has(id));
    found.push(...fresh);
    // Past its end a list may begin again, and then it brings nothing new.
    if (fresh.length === 0 || found.length >= Number(response.total ?? 0)) return found;
  }
}

/**
 * The customer of that name.
 * @throws ConnectorError `config` when the server has no customer of that name.
 */
export async function customerNamed(connection: Connection, customer: string): Promise<Customer> {
  let found: readonly Customer[];
  try {
    found = await customersOf(connection);
  } catch (thrown) {
    if (!(thrown instanceof HttpFailure) || thrown.reaction !== 'unavailable') throw thrown;
    throw new ConnectorError(
      'config',
      'this server has no customers',
      { setting: 'customer_name' },
      {
        hint: 'leave customer_name out: it is for MSP servers only',
        cause: thrown,
      },
    );
  }
  const match = found.find(({ name }) => name === customer);
  if (match !== undefined) return match;
  const names = found.slice(0, NAMES_TOLD).map(({ name }) => `"${name}"`);
  const more = found.length > names.length ? ` and ${found.length - names.length} more` : '';
  throw new ConnectorError(
    'config',
    `the server has no customer "${customer}"`,
    { setting: 'customer_name' },
    {
      hint:
        names.length === 0
          ? 'it names no customer at all: check the rights of the key'
          : `it has ${names.join(', ')}${more}`,
    },
  );
}

function customerIn(row: Json): readonly Customer[] {
  if (!isObject(row) || typeof row.customer_name !== 'string') return [];
  const { customer_id: id, customer_name: name } = row;
  return [{ id: isRawNumber(id) ? id.rawJSON : String(id), name }];
}

/** One customer's bookmark (or snapshot) out of an entry in the state; without a customer the entry itself. */
export function bookmarkFor(entry: Json | undefined, customer: string | undefined): Json | undefined {
  if (!isObject(entry)) return entry;
  const { customers, ...own } = entry;
  if (customer !== undefined)
    return isObject(customers) && Object.hasOwn(customers, customer) ? customers[customer] : undefined;
  return Object.keys(own).length === 0 ? undefined : own;
}

/** The entry with one customer's bookmark replaced, or taken out; undefined when nothing is left. */
export function entryWith(
  entry: Json | undefined,
  customer: string | undefined,
  bookmark: Json | undefined,
): Json | undefined {
  // Not ours, whatever it is.
  if (entry !== undefined && !isObject(entry)) return entry;
  const { customers, ...own } = entry ?? {};
  if (customer === undefined) {
    const whole = { ...(isObject(bookmark) ? bookmark : {}), ...(customers !== undefined && { customers }) };
    return Object.keys(whole).length === 0 ? undefined : whole;
  }
  const { [customer]: _replaced, ...others } = isObject(customers) ? customers : {};
  const all = { ...others, ...(bookmark !== undefined && { [customer]: bookmark }) };
  const whole = { ...own, ...(Object.keys(all).length > 0 && { customers: all }) };
  return Object.keys(whole).length === 0 ? undefined : whole;
}

/** True when the entry holds bookmarks of anybody but these customers: their rows share the table. */
export function isShared(entry: Json | undefined, wanted: readonly (string | undefined)[]): boolean {
  if (!isObject(entry)) return false;
  const { customers, ...own } = entry;
  const others = isObject(customers) ? Object.keys(customers).filter((name) => !wanted.includes(name)) : [];
  return others.length > 0 || (!wanted.includes(undefined) && Object.keys(own).length > 0);
}

/** Schema of a stream's entry: a bookmark, or one per customer. */
export function entrySchema(bookmark: JsonSchema): JsonSchema {
  return {
    if: { type: 'object', required: ['customers'] },
    // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
    then: { properties: { customers: { type: 'object', additionalProperties: bookmark } } },
    else: bookmark,
  };
}
