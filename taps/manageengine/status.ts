/** `--status` and `--reset`, and the shape of the state they work on. */
import { rename } from 'node:fs/promises';
import { pagesOf, pagesRead } from '../../http/sweep-state.ts';
import { ConnectorError, systemCode } from '../../singer/errors.ts';
import type { JsonSchema } from '../../singer/messages.ts';
import type { State, StateDeclaration } from '../../singer/state-file.ts';
import type { ActionContext, Tap } from '../../singer/stream.ts';
import { SNAPSHOT_SCHEMA, type Snapshot } from './bookkeeping.ts';
import { Bookmarks } from './bookmarks.ts';
import type { Connection } from './connection.ts';
import { bookmarkFor, entrySchema } from './customers.ts';
import { STATE_VERSION } from './snapshot-run.ts';
import { asSweep, coveragePercent, type EndpointStream } from './streams.ts';

/** What a state of these streams must look like. */
export function stateOf(streams: readonly EndpointStream[]): StateDeclaration {
  const entries = new Map<JsonSchema, JsonSchema>();
  const entryOf = (checkpoint: JsonSchema): JsonSchema => {
    const entry = entries.get(checkpoint) ?? entrySchema(orUnavailable(checkpoint));
    entries.set(checkpoint, entry);
    return entry;
  };
  return {
    version: STATE_VERSION,
    bookmarks: Object.fromEntries(streams.map(({ name, checkpoint }) => [name, entryOf(checkpoint)])),
    top: { snapshot: entrySchema(SNAPSHOT_SCHEMA) },
  };
}

/** A probed stream may have been found missing instead of read. */
function orUnavailable(checkpoint: JsonSchema): JsonSchema {
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  return { if: { type: 'object', required: ['unavailable'] }, then: {}, else: checkpoint };
}

function statePath({ statePath: path }: ActionContext, flag: string): string {
  if (path !== undefined) return path;
  throw new ConnectorError('config', `--${flag} needs --state FILE`, {}, { hint: 'name the state file of this pipe' });
}

/** What `--status` prints: how far the sweep of the measured stream has come, for one customer if named, else for all that the snapshot is read of. Makes no request. */
export function statusOf(
  streams: readonly EndpointStream[],
  state: State,
  target: number,
  customer?: string,
): Readonly<Record<string, unknown>> {
  const snapshot = bookmarkFor(state.snapshot, customer) as unknown as Snapshot | undefined;
  const everyone = snapshot?.customer_list?.map(({ name }) => name);
  const bookmarks = new Bookmarks(state, everyone ?? [customer]).together();
  const sweepOf = (name: string) => asSweep(bookmarks[name]);
  const sweep = sweepOf(streams.find(({ measuresCoverage }) => measuresCoverage)?.name ?? '');
  return {
    snapshot_id: snapshot?.id ?? null,
    status: snapshot?.status ?? 'none',
    last_page: sweep === undefined ? 0 : pagesRead(sweep),
    total_pages: sweep === undefined ? null : pagesOf(sweep),
    systems_extracted: sweep?.distinct ?? 0,
    ...(sweep?.weight !== undefined && { patches_extracted: sweep.weight }),
    total_systems: sweep?.total ?? null,
    coverage_pct: coveragePercent(sweep),
    coverage_target: target,
    target_met: sweep?.finished === true && sweep.total !== null && sweep.distinct >= target * sweep.total,
    gaps: streams.flatMap(({ name }) =>
      (sweepOf(name)?.gaps ?? []).map(({ page, error_type, attempts }) => ({
        stream: name,
        page,
        error_type,
        attempts,
      })),
    ),
    updated_at: snapshot?.updated_at ?? null,
  };
}

/** The two commands beside the extraction. */
export function actionsFor(streams: readonly EndpointStream[]): NonNullable<Tap<Connection>['actions']> {
  return {
    status: {
      describe: 'Print how far the extraction has come, from the state file alone',
      async act(context) {
        statePath(context, 'status');
        const { coverage_target: target, customer_name: customer } = context.settings;
        const status = statusOf(streams, await context.state(), target as number, customer as string | undefined);
        context.print(JSON.stringify(status));
      },
    },
    reset: {
      describe: 'Move the state file to FILE.bak, so that the next run starts over',
      async act(context) {
        const path = statePath(context, 'reset');
        try {
          await rename(path, `${path}.bak`);
          context.log.info('reset', `moved ${path} to ${path}.bak; the next run starts from page 1`);
        } catch (thrown) {
          if (systemCode(thrown) !== 'ENOENT') throw thrown;
          context.log.info('reset', `${path} does not exist; the next run starts from page 1 anyway`);
        }
      },
    },
  };
}
