/** A tap of two streams and one of bookkeeping, whose pages a test gives. */
import type { Settings } from '../../singer/config.ts';
import type { Json } from '../../singer/lossless.ts';
import type { Ending, Page, ReadRequest, Run, StreamDeclaration, Tap } from '../../singer/stream.ts';
import type { MemoryIo } from './memory-io.ts';

const declaration = (name: string, more: Partial<StreamDeclaration> = {}): StreamDeclaration => ({
  name,
  key: ['id'],
  schema: { type: 'object', properties: { id: { type: 'integer' }, name: { type: ['null', 'string'] } } },
  replication: 'FULL_TABLE',
  selectedByDefault: true,
  ...more,
});

export interface SmallClient {
  readonly settings: Settings;
  closed: number;
  close(): Promise<void>;
}

export type Read = (request: ReadRequest, run: Run) => AsyncGenerator<Page, Ending>;

/** A page of rows of one stream and the bookmark that covers them. */
export function page(stream: string, ids: readonly number[], next: Json = ids.at(-1) ?? null): Page {
  return {
    rows: [{ stream, records: ids.map((id) => ({ id, name: `n${id}` })) }],
    state: { state_version: 1, bookmarks: { [stream]: { next } } },
  };
}

export const COMPLETE: Ending = { exitCode: 0, summary: 'all read' };

export interface SmallTap extends Tap<SmallClient> {
  readonly clients: SmallClient[];
}

export function smallTap(read: Read, more: Partial<Tap<SmallClient>> = {}): SmallTap {
  const clients: SmallClient[] = [];
  return {
    name: 'tap-small',
    description: 'Reads nothing much.',
    settings: {
      properties: {
        token: { type: 'string', secret: true },
        streams: { type: 'array', items: { type: 'string' } },
        exit_incomplete: { type: 'integer', default: 2 },
      },
      required: ['token'],
    },
    capabilities: ['catalog', 'discover', 'state'],
    streams: [
      declaration('systems'),
      declaration('patches', { selectedByDefault: false, bookmarks: ['id'] }),
      declaration('snapshots', { automatic: true }),
    ],
    state: { version: 1, bookmarks: { systems: { type: 'object' } } },
    clients,
    async connect(settings) {
      const client: SmallClient = {
        settings,
        closed: 0,
        async close() {
          client.closed += 1;
        },
      };
      clients.push(client);
      return client;
    },
    read: (_client, request, run) => read(request, run),
    ...more,
  };
}

/** Messages on stdout in short: `SCHEMA systems`, `systems 1`, `STATE {"systems":…}`. */
export function messages({ stdout }: Pick<MemoryIo, 'stdout'>): string[] {
  return stdout.objects.map((message) => {
    if (message.type === 'STATE') return `STATE ${JSON.stringify((message.value as { bookmarks: Json }).bookmarks)}`;
    if (message.type === 'RECORD') return `${message.stream} ${(message.record as { id: number }).id}`;
    return `${message.type} ${message.stream}`;
  });
}
