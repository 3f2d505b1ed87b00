/** Releases in a fresh database: whole runs of the real target, and the words to look at what they did. */
import { target } from '../../targets/postgres/target.ts';
import { ask, begin, type LoadOptions, lines, load, type Outcome } from '../contract/target/load.ts';
import { openPostgres, type PostgresDestination } from './postgres.ts';

/** The live schema of these tests. */
export const LIVE = 'desk';

const SETTINGS = { default_target_schema: LIVE, release: 'blue_green' };

/** A stream of tickets, and one of comments on them, as a tap would send them. */
export const TICKETS = {
  type: 'SCHEMA',
  stream: 'tickets',
  schema: {
    properties: {
      id: { type: 'integer' },
      title: { type: ['null', 'string'] },
      version: { type: ['null', 'integer'] },
    },
    'x-indexes': [['title']],
  },
  key_properties: ['id'],
};
export const COMMENTS = {
  type: 'SCHEMA',
  stream: 'comments',
  schema: { properties: { id: { type: 'integer' }, ticket: { type: 'integer' }, version: { type: 'integer' } } },
  key_properties: ['id'],
};

/** Records of both streams, `rows` each, all of them with the number of their version; then a state. */
export function desk(version: number, rows = 10): string {
  const ids = Array.from({ length: rows }, (_, index) => index + 1);
  return lines(
    TICKETS,
    COMMENTS,
    ...ids.flatMap((id) => [
      { type: 'RECORD', stream: 'tickets', record: { id, title: `ticket ${id}`, version } },
      { type: 'RECORD', stream: 'comments', record: { id, ticket: id, version } },
    ]),
    { type: 'STATE', value: { version } },
  );
}

/** One release as `target-postgres releases --json` tells of it. */
export interface Told {
  readonly release: string;
  readonly status: string;
  readonly schema: string | null;
  readonly note: string | null;
  readonly tables: Readonly<Record<string, { readonly rows: number; readonly content_hash: string }>>;
}

/** A database and the target's ways into it. */
export interface Releases {
  readonly destination: PostgresDestination;
  readonly query: PostgresDestination['query'];
  load(input: string, options?: LoadOptions): Promise<Outcome>;
  begin(options?: LoadOptions): ReturnType<typeof begin>;
  /** Runs a command, with its words. */
  command(words: readonly string[], settings?: Readonly<Record<string, unknown>>): Promise<Outcome>;
  /** The releases, the newest first. */
  told(): Promise<readonly Told[]>;
  /** The versions that the rows of a table have. */
  versions(table: string, schema?: string): Promise<readonly (string | null)[]>;
}

/** Runs `body` with an empty database, which is dropped afterwards. */
export async function withReleases(body: (releases: Releases) => Promise<void>): Promise<void> {
  const destination = { ...(await openPostgres()) };
  const { query } = destination;
  const place = { ...destination, settings: { ...destination.settings, ...SETTINGS } };
  const command: Releases['command'] = (words, settings) => ask(target, place, words, settings);
  try {
    await body({
      destination: place,
      query,
      load: (input, options) => load(target, place, input, options),
      begin: (options) => begin(target, place, options),
      command,
      async told() {
        const { states } = await command(['releases', '--json']);
        return (JSON.parse(states[0] ?? '{}') as { releases: Told[] }).releases;
      },
      versions: async (table, schema = LIVE) =>
        (await query<{ version: string }>(`SELECT DISTINCT version FROM "${schema}"."${table}" ORDER BY 1`)).map(
          ({ version }) => version,
        ),
    });
  } finally {
    await destination.close();
  }
}
