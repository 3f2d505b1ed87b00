/** Readers that never stop while releases come and go, and that notice everything they should never see. */
import pg from 'pg';
import { LIVE } from './postgres-releases.ts';

/** What readers saw, all together. */
export interface Sightings {
  /** Answers that were looked at. */
  readonly answers: number;
  /** Snapshots over both tables without a switch in between. */
  readonly snapshots: number;
  readonly versions: ReadonlySet<string>;
  /** Everything that should never be seen. */
  readonly complaints: readonly string[];
}

interface Books {
  answers: number;
  snapshots: number;
  readonly versions: Set<string>;
  readonly complaints: string[];
  stopped: boolean;
}

/** Number of rows, smallest and largest version. */
interface Answer {
  readonly rows: string;
  readonly first: string;
  readonly last: string;
}

const looking = (relation: string) =>
  `SELECT count(*) AS rows, min(version) AS first, max(version) AS last FROM ${relation}`;
/** Changes with every switch, also with one back and forth. */
const SWITCHES = `SELECT oid || ' ' || xmin AS mark FROM pg_namespace WHERE nspname = '${LIVE}'`;

type Reader = (
  client: pg.Client,
  books: Books,
  look: (answer: Answer | undefined, what: string) => void,
) => Promise<void>;

const READERS: Readonly<Record<string, Reader>> = {
  async table(client, _books, look) {
    const { rows } = await client.query<Answer>(looking(`${LIVE}.tickets`));
    look(rows[0], 'one statement');
  },
  async prepared(client, _books, look) {
    const { rows } = await client.query<Answer>({ name: 'look', text: looking(`${LIVE}.comments`) });
    look(rows[0], 'a prepared statement');
  },
  async view(client, _books, look) {
    const { rows } = await client.query<Answer>(looking('reports.tickets'));
    look(rows[0], 'a view elsewhere');
  },
  async snapshot(client, books, look) {
    const before = await client.query(SWITCHES);
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    const seen: (Answer | undefined)[] = [];
    for (const table of ['tickets', 'comments'])
      seen.push((await client.query<Answer>(looking(`${LIVE}.${table}`))).rows[0]);
    await client.query('COMMIT');
    for (const answer of seen) look(answer, 'a snapshot');
    const after = await client.query(SWITCHES);
    if (before.rows[0]?.mark !== after.rows[0]?.mark) return;
    books.snapshots += 1;
    if (seen[0]?.first !== seen[1]?.first)
      books.complaints.push(`a snapshot mixes ${seen[0]?.first} and ${seen[1]?.first}`);
  },
};

/** Reads with so many connections of each kind until `body` has ended. `rows`: what each table has in every release. */
export async function whileReading(
  url: string,
  count: number,
  rows: number,
  body: () => Promise<void>,
): Promise<Sightings> {
  const books: Books = { answers: 0, snapshots: 0, versions: new Set(), complaints: [], stopped: false };
  const kinds = Object.entries(READERS);
  const loops = Array.from({ length: count }, (_, index) =>
    loop(url, kinds[index % kinds.length]?.[1] as Reader, rows, books),
  );
  try {
    await body();
  } finally {
    books.stopped = true;
    await Promise.all(loops);
  }
  return books;
}

async function loop(url: string, read: Reader, rows: number, books: Books): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    types: { getTypeParser: () => (text: string) => text } as never,
  });
  await client.connect();
  const look = (answer: Answer | undefined, what: string) => {
    books.answers += 1;
    if (answer === undefined || Number(answer.rows) !== rows) books.complaints.push(`${what} saw ${answer?.rows} rows`);
    else if (answer.first !== answer.last)
      books.complaints.push(`${what} saw versions ${answer.first} to ${answer.last}`);
    else books.versions.add(answer.first);
  };
  while (!books.stopped && books.complaints.length < 20) {
    try {
      await read(client, books, look);
    } catch (cause) {
      books.complaints.push(String(cause));
      await client.query('ROLLBACK').catch(() => undefined);
    }
  }
  await client.end();
}
