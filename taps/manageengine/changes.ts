/** Streams that some servers tell the changes of: only these are read there, and everything elsewhere. */
import type { ChangesEndpoint } from '../../http/changed-since.ts';
import { asChanges, CHANGES_STATE_SCHEMA, nextReading } from '../../http/changes-state.ts';
import { HttpFailure, isAbsence } from '../../http/judge.ts';
import { SWEEP_STATE_SCHEMA } from '../../http/sweep-state.ts';
import { isObject, isRawNumber, type Json, type Row } from '../../singer/lossless.ts';
import type { JsonSchema } from '../../singer/messages.ts';
import { THREATS } from './families.ts';
import { asNested } from './nested.ts';
import { type Declaration, driftTeller, type EndpointStream, limitsOf, type Reading, readerFor } from './streams.ts';

/** The endpoint that tells the changes of a stream. Its rows say of themselves what the rows around them say elsewhere. */
interface ChangesDeclaration extends Declaration {
  /** Property of a record that tells when it last changed. */
  readonly changedAt: string;
  /** Schema of the rows that its own are nested in elsewhere: their fields are nothing new. */
  readonly around: JsonSchema;
}

const HOUR = 3_600_000;

// biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
const CHECKPOINT: JsonSchema = { if: { required: ['gaps'] }, then: SWEEP_STATE_SCHEMA, else: CHANGES_STATE_SCHEMA };

/**
 * `elsewhere`, a stream of nested records, read by its changes where the server offers that: all rows first, and again when the last such reading is
 * older than `sweep_max_age_hours`, because nothing tells of rows that vanished; in between only what changed.
 * ManageEngine documents such an endpoint for Endpoint Central and Vulnerability Manager Plus, not for MSP servers.
 */
export function changesStream(elsewhere: EndpointStream, declaration: ChangesDeclaration): EndpointStream {
  const { path } = declaration;
  return {
    ...elsewhere,
    checkpoint: CHECKPOINT,
    changesPath: path,
    carried: (bookmark) => {
      const changes = asChanges(bookmark);
      return changes === undefined ? undefined : (nextReading(changes) as unknown as Json);
    },
    async *read(reading, since) {
      const { connection, settings, run } = reading;
      const changes = asChanges(since);
      if (connection.customer === undefined && (since === undefined || changes !== undefined)) {
        const { ChangesReader, changesPages } = await import('../../http/changed-since.ts');
        const maxAge = (settings.sweep_max_age_hours as number) * HOUR;
        const reader = new ChangesReader(endpointOf(declaration, reading), connection.http, changes, maxAge, run);
        try {
          const first = await reader.next();
          for await (const rows of changesPages(reader, first, limitsOf(settings)))
            yield {
              rows: nested(rows),
              get state() {
                return reader.state;
              },
            };
          return;
        } catch (thrown) {
          if (!(thrown instanceof HttpFailure) || !isAbsence(thrown) || reader.state.pages > 0) throw thrown;
        }
      }
      yield* elsewhere.read(reading, changes === undefined ? since : undefined);
    },
  };
}

/** ManageEngine documents `updatedTime` (milliseconds, "only newer") and `cursor`; the cursor comes back in `metadata`. */
function endpointOf(declaration: ChangesDeclaration, reading: Reading): ChangesEndpoint {
  const { name, path, data, changedAt, around } = declaration;
  const { connection, settings, run } = reading;
  const size = settings.page_size as number | undefined;
  const tell = driftTeller(declaration, run);
  const own = declaration.schema.properties ?? {};
  const isOurs = (field: string) => own[field] !== undefined || around.properties?.[field] === undefined;
  return {
    stream: name,
    url: new URL(path, connection.baseUrl).href,
    rows: THREATS.rows(data),
    envelope: (value) => ({ total: THREATS.envelope(value).total, cursor: cursorIn(value) }),
    query: (since, cursor) => ({
      ...(size !== undefined && { pageLimit: size }),
      ...(since !== null && { updatedTime: since }),
      ...(cursor !== null && { cursor }),
    }),
    record: readerFor(declaration, reading),
    changedAt: (record) => Date.parse(String(record[changedAt])),
    firstFields: (fields) => tell(new Set([...fields].filter(isOurs))),
  };
}

/** In the form that the pages of `elsewhere` have. */
async function* nested(groups: AsyncIterable<readonly Row[]>): AsyncGenerator<readonly Row[]> {
  for await (const records of groups) yield [asNested(records)];
}

function cursorIn(value: Json): string | null | undefined {
  const metadata = isObject(value) ? value.metadata : undefined;
  const cursor = metadata !== undefined && isObject(metadata) ? metadata.cursor : undefined;
  if (typeof cursor === 'number' || isRawNumber(cursor)) return isRawNumber(cursor) ? cursor.rawJSON : String(cursor);
  return typeof cursor === 'string' && cursor !== '' && cursor !== '--'
    ? cursor
    : cursor === undefined
      ? undefined
      : null;
}
