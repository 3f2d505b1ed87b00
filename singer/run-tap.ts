/** Runs a tap: settings, catalog, state, connection, then schema, rows and state on stdout until there is nothing left to do. */
import { catalogOf, projection, readCatalog, schemaNeeded, select as selectStreams } from './catalog.ts';
import { TAP_FLAGS } from './command-line.ts';
import { loadSettings, type Settings } from './config.ts';
import { ConnectorError, EXIT, textOf } from './errors.ts';
import { type Io, stopOf } from './io.ts';
import type { Row } from './lossless.ts';
import { openProgress } from './progress.ts';
import { inSession, print, type Session } from './session.ts';
import { readState, type State } from './state-file.ts';
import type { Closing, Page, ReadRequest, RowGroup, Run, Selected, StreamDeclaration, Tap } from './stream.ts';
import { MessageWriter } from './writer.ts';

/** Runs `tap` with the given outside world and returns the exit code. */
export function runTap<Client extends Closing>(tap: Tap<Client>, io: Io): Promise<number> {
  const actions = Object.fromEntries(
    Object.entries(tap.actions ?? {}).map(([name, { describe }]) => [name, { type: 'boolean' as const, describe }]),
  );
  const usage = `$0 --config FILE [--state FILE] [--catalog FILE]\n\n${tap.description}`;
  return inSession(tap.name, io, { ...TAP_FLAGS, ...actions }, usage, (session) => tapSession(tap, io, session));
}

async function tapSession<Client extends Closing>(tap: Tap<Client>, io: Io, session: Session): Promise<number> {
  const { flags, log, metrics } = session;
  const discovers = flags.get('discover') === true;
  if (discovers && tap.discover === undefined) {
    await print(io, JSON.stringify(catalogOf(tap.streams), null, 2));
    return EXIT.complete;
  }
  const statePath = stringFlag(session, 'state');
  const state = () => readState(statePath, tap.state, log, io.clock.now());
  const settingsFor = (complete: boolean) =>
    loadSettings(
      {
        plugin: tap.name,
        schema: tap.settings,
        sources: flags.config,
        complete,
        ...(tap.rules !== undefined && { rules: tap.rules }),
      },
      io,
      log,
    );

  for (const [name, action] of Object.entries(tap.actions ?? {})) {
    if (flags.get(name) !== true) continue;
    const lines: string[] = [];
    await action.act({
      settings: await settingsFor(false),
      statePath,
      // Looking must not change anything.
      state: () => readState(statePath, tap.state, log, io.clock.now(), 'leave'),
      log,
      clock: io.clock,
      print: (line) => lines.push(line),
    });
    if (lines.length > 0) await print(io, lines.join('\n'));
    return EXIT.complete;
  }

  const settings = await settingsFor(true);
  const catalogPath = stringFlag(session, 'catalog');
  const catalog = catalogPath === undefined ? undefined : await readCatalog(catalogPath);
  const wanted = settings.streams as readonly string[] | undefined;
  const select = (streams: readonly StreamDeclaration[]) => {
    const selected = selectStreams(streams, catalog, wanted).map((stream) => tap.adjust?.(stream, settings) ?? stream);
    if (selected.some(({ declaration }) => !declaration.automatic)) return selected;
    throw new ConnectorError(
      'config',
      'no stream is selected',
      {},
      { hint: 'set "selected": true in the catalog, or name streams in "streams"' },
    );
  };
  const test = flags.get('test');
  // Of static streams a slip in the selection is told before anything else happens.
  const known = tap.discover === undefined ? select(tap.streams) : undefined;
  if (known !== undefined && test === 'schema') return writeSchemas(known, io);
  const progress = await openProgress(io, log, test === undefined && !discovers);
  const run: Run = { log, clock: io.clock, signal: io.signal, metrics, progress, env: io.env };
  const startState = await state();
  const client = await tap.connect(settings, run);
  try {
    let selected = known;
    if (selected === undefined) {
      const choice = discovers ? () => true : schemaNeeded(catalog, wanted);
      const found = [...tap.streams, ...((await tap.discover?.(client, settings, choice, run)) ?? [])];
      if (discovers) {
        await print(io, JSON.stringify(catalogOf(found), null, 2));
        return EXIT.complete;
      }
      selected = select(found);
      if (test === 'schema') return await writeSchemas(selected, io);
    }
    const request: ReadRequest = { settings, selected, state: startState };
    return test === undefined ? await extract(tap, client, request, run, io) : await probe(tap, client, request, run);
  } finally {
    progress.stop();
    log.around(undefined);
    await client.close();
  }
}

/** `--test=schema`: what would be announced, and nothing else. */
async function writeSchemas(selected: readonly Selected[], io: Io): Promise<number> {
  const writer = new MessageWriter(io.stdout);
  for (const stream of selected) await writeSchema(writer, stream);
  await writer.flush();
  return EXIT.complete;
}

function stringFlag({ flags }: Session, name: string): string | undefined {
  const value = flags.get(name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function writeSchema(writer: MessageWriter, { declaration, schema, key }: Selected): Promise<void> | undefined {
  return writer.schema(declaration.name, schema, key, declaration.bookmarks);
}

/** The whole extraction: every page's rows, then the state that covers them. */
async function extract<Client extends Closing>(
  tap: Tap<Client>,
  client: Client,
  request: ReadRequest,
  run: Run,
  io: Io,
): Promise<number> {
  const writer = new MessageWriter(io.stdout);
  const lanes = new Map(request.selected.map((stream) => [stream.declaration.name, laneOf(stream)]));
  const pages = tap.read(client, request, run);
  let schemasWritten = false;
  let lastState = '';
  try {
    for (;;) {
      const next = await pages.next();
      if (next.done === true) {
        await writer.flush();
        run.signal.throwIfAborted();
        const { exitCode, summary, fields } = next.value;
        run.log[exitCode === EXIT.complete ? 'info' : exitCode === EXIT.incomplete ? 'warn' : 'critical'](
          'run_complete',
          summary,
          fields,
        );
        return exitCode === EXIT.incomplete ? incompleteCode(request.settings) : exitCode;
      }
      if (!schemasWritten) {
        for (const stream of request.selected) await writeSchema(writer, stream);
        schemasWritten = true;
      }
      await writeRows(next.value, lanes, writer, run);
      for (const { stream, version } of next.value.complete ?? []) {
        if (lanes.has(stream)) await writer.activateVersion(stream, version);
      }
      lastState = await writeState(writer, next.value.state, lastState);
      await turn(run);
    }
  } finally {
    await pages.return({ exitCode: EXIT.failed, summary: '' }).catch(() => undefined);
    await writer.flush().catch((error: unknown) => {
      // The reader went away; the error that ended the loop says so already.
      run.log.debug('flush', textOf(error));
    });
  }
}

/** Some runners take 2 for a failure; `exit_incomplete: 0` is for them. */
function incompleteCode(settings: Settings): number {
  return typeof settings.exit_incomplete === 'number' ? settings.exit_incomplete : EXIT.incomplete;
}

/** What has to be done to a stream's records before they are written; `undefined` for nothing. */
function laneOf({ declaration, schema, apply }: Selected): ((record: Row) => Row) | undefined {
  const project = projection(declaration.schema, schema);
  if (apply === undefined || project === undefined) return project ?? apply;
  return (record) => apply(project(record));
}

async function writeRows(
  page: Page,
  lanes: ReadonlyMap<string, ((record: Row) => Row) | undefined>,
  writer: MessageWriter,
  run: Run,
): Promise<void> {
  const counts = new Map<string, number>();
  let seen = 0;
  const write = (group: RowGroup): Promise<void> | undefined => {
    const { stream } = group;
    if (!lanes.has(stream)) return undefined;
    const slow = writeGroup(group, lanes.get(stream), writer);
    counts.set(stream, (counts.get(stream) ?? 0) + countOf(group));
    // Buffers are let go of between two turns.
    seen += 'lines' in group ? Math.max(group.count, group.lines.length / BYTES_PER_ROW) : group.records.length;
    if (slow !== undefined || seen < ROWS_PER_TURN) return slow;
    seen = 0;
    return turn(run);
  };
  for await (const group of page.rows) {
    const slow = write(group);
    if (slow !== undefined) await slow;
  }
  for (const [stream, count] of counts) run.metrics.rows(stream, 'read', count);
}

function writeGroup(
  group: RowGroup,
  project: ((record: Row) => Row) | undefined,
  writer: MessageWriter,
): Promise<void> | undefined {
  if ('lines' in group) return writer.recordLines(group.stream, group.lines);
  const { stream, records, version } = group;
  return writer.records(stream, project === undefined ? records : records.map(project), version);
}

function countOf(group: RowGroup): number {
  return 'lines' in group ? group.count : group.records.length;
}

/** A tap that never waits would never see a signal, nor let its lines go. */
const ROWS_PER_TURN = 1_000;
/** Lines that are ready count as rows of this size. */
const BYTES_PER_ROW = 1_280;

async function turn({ signal }: Run): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}

/** Writes the state unless it is empty or the one written last. */
async function writeState(writer: MessageWriter, state: State, last: string): Promise<string> {
  const text = JSON.stringify(state);
  if (text === last || text === '{}') return last;
  await writer.state(state as Parameters<MessageWriter['state']>[0]);
  return text;
}

/** `--test`: asks each selected stream for one record, writes no message, and says what does not answer. */
async function probe<Client extends Closing>(
  tap: Tap<Client>,
  client: Client,
  request: ReadRequest,
  run: Run,
): Promise<number> {
  let failed = 0;
  for (const stream of request.selected) {
    const { name, automatic } = stream.declaration;
    if (automatic) continue;
    const problem = await firstRecord(tap, client, { ...request, selected: [stream], state: {}, probe: true }, run);
    if (problem === undefined) run.log.info('test_passed', `${name}: answers`, { stream: name });
    else if (problem === ABSENT) run.log.info('test_passed', `${name}: the source does not offer it`, { stream: name });
    else {
      failed += 1;
      run.log.error('test_failed', `${name}: ${problem}`, { stream: name });
    }
  }
  run.log[failed === 0 ? 'info' : 'critical'](
    'test_complete',
    failed === 0 ? 'every selected stream answers' : `${failed} of the selected streams do not answer`,
  );
  return failed === 0 ? EXIT.complete : EXIT.failed;
}

const ABSENT = Symbol('absent');

/** What is wrong with the stream that `request` selects; `ABSENT` when the source does not have it, which is nothing. */
async function firstRecord<Client extends Closing>(
  tap: Tap<Client>,
  client: Client,
  request: ReadRequest,
  run: Run,
): Promise<string | typeof ABSENT | undefined> {
  const wanted = request.selected[0]?.declaration.name;
  const pages = tap.read(client, request, run);
  try {
    for (;;) {
      const next = await pages.next();
      if (next.done === true) {
        // A tap that was asked to stop ends in order, which is no answer.
        run.signal.throwIfAborted();
        const { exitCode, failures, summary, absent = [] } = next.value;
        if (wanted !== undefined && absent.includes(wanted)) return ABSENT;
        return failures?.[0]?.reason ?? (exitCode === EXIT.failed ? summary : undefined);
      }
      for await (const group of next.value.rows) {
        if (group.stream === wanted && countOf(group) > 0) return undefined;
      }
    }
  } catch (thrown) {
    if (stopOf(thrown) !== undefined) throw thrown;
    return textOf(thrown);
  } finally {
    await pages.return({ exitCode: EXIT.complete, summary: '' }).catch(() => undefined);
  }
}
