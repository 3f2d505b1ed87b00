/** The families of ManageEngine's endpoints: how each numbers its pages, says its total and takes a customer. */
import type { RowsPath } from '../../http/body.ts';
import type { HttpRequest } from '../../http/exchange.ts';
import type { Reported } from '../../http/page-reader.ts';
import { isObject, type Json } from '../../singer/lossless.ts';

type Query = NonNullable<HttpRequest['query']>;

/** A customer of an MSP server. */
export interface Customer {
  readonly id: string;
  readonly name: string;
}

export interface Family {
  /** Where the rows called `data` stand in an answer. */
  rows(data: string): RowsPath;
  /** Total and page size in force, from an answer without its rows. */
  envelope(value: Json): Reported;
  /** The query for a page; `size` in rows, undefined for the server's own. */
  page(page: number, size: number | undefined): Query;
  /** What limits a request to a customer. */
  customer(customer: Customer): Query;
  /** Some builds tell no total. */
  readonly totalMayLack?: boolean;
  /** Rows per page when nobody asks for a number and no answer tells one. */
  readonly usualSize: number;
}

/**
 * Lists under `/api/1.4`: pages are numbered from 1 with `page`, their size is `pagelimit`, total and size in force
 * come back in `message_response` (ManageEngine documents both as number, newer builds send text). A customer is named
 * by `customerid`; a name is refused.
 */
export const LISTS: Family = {
  rows: (data) => ['message_response', data],
  envelope(value) {
    const { total, limit } = objectAt(value, 'message_response');
    return { total: count(total), size: positive(limit) };
  },
  page: (page, size) => ({ page, ...(size !== undefined && { pagelimit: size }) }),
  customer: ({ id }) => ({ customerid: id }),
  usualSize: 25,
};

/**
 * Lists under `/dcapi/threats`: `page` and `pageLimit` in camel case, total and size in force in `metadata` (the total
 * is number or text, by build). Some builds send the rows and nothing around them. A customer is
 * `customername`; an id is refused.
 */
export const THREATS: Family = {
  rows: (data) => [['message_response', data], [data]],
  envelope(value) {
    const { totalRecords, pageLimit } = objectAt(value, 'metadata');
    return { total: count(totalRecords), size: positive(pageLimit) };
  },
  page: (page, size) => ({ page, ...(size !== undefined && { pageLimit: size }) }),
  customer: ({ name }) => ({ customername: name }),
  totalMayLack: true,
  usualSize: 30,
};

function objectAt(value: Json, key: string): { readonly [key: string]: Json } {
  const inner = isObject(value) ? value[key] : undefined;
  return inner !== undefined && isObject(inner) ? inner : {};
}

/** A count that ManageEngine sends as number or text. */
function count(value: Json | undefined): number | undefined {
  const number =
    typeof value === 'number' || (typeof value === 'string' && value.trim() !== '') ? Number(value) : Number.NaN;
  return Number.isInteger(number) && number >= 0 ? number : undefined;
}

function positive(value: Json | undefined): number | undefined {
  const number = count(value);
  return number === 0 ? undefined : number;
}
