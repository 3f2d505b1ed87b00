/**
 * One run of a ManageEngine tap, from what is selected to how it ended: finds out whose data it reads, and tells about
 * it where the settings say so.
 */
import { ConnectorError, textOf } from '../../singer/errors.ts';
import { stopOf } from '../../singer/io.ts';
import type { Ending, Page, ReadRequest, Run } from '../../singer/stream.ts';
import { BOOKS, type Books } from './bookkeeping.ts';
import type { Connection } from './connection.ts';
import { customersToRead } from './current-snapshot.ts';
import { openNotices } from './report.ts';
import { SnapshotRun } from './snapshot-run.ts';
import { type EndpointStream, namesOf } from './streams.ts';

/** In what a product's runs differ from the others'. */
export interface Product {
  /** Its name in notices; the tap's without it. */
  readonly title?: string;
  readonly books?: Books;
  /** A server of several customers is read whole when the settings name none. */
  readonly everyCustomer?: boolean;
}

/** Reads what this run may read, and tells about it where the settings say so. */
export async function* readSnapshot(
  tap: string,
  streams: readonly EndpointStream[],
  connection: Connection,
  request: ReadRequest,
  run: Run,
  { title = tap, books = BOOKS, everyCustomer = false }: Product = {},
): AsyncGenerator<Page, Ending> {
  const wanted = new Set(request.selected.map(({ declaration }) => declaration.name));
  const notices = await openNotices(title, connection, request, run);
  try {
    const selected = streams.filter((stream) => namesOf(stream).some((name) => wanted.has(name)));
    const everyone = await customersToRead(selected, connection, request, run, everyCustomer);
    const task = { tap, books, streams, selected, wanted, everyone, connection, request, notices };
    return yield* new SnapshotRun(task, run).read();
  } catch (thrown) {
    if (stopOf(thrown) === undefined)
      notices.failed({ reason: thrown instanceof ConnectorError ? thrown.line : textOf(thrown) });
    throw thrown;
  } finally {
    await notices.close();
  }
}
