/** State files: read with care, checked against what the tap declares, replaced so that no moment shows half a file. */
import { constants } from 'node:fs';
import { open, readFile, realpath, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { compileSchema } from './check.ts';
import { ConnectorError, systemCode, textOf } from './errors.ts';
import { processId } from './io.ts';
import type { Log } from './log.ts';
import { approximate, isObject, type Json, jsonProblem, parseLossless, withoutBom } from './lossless.ts';
import type { JsonSchema } from './messages.ts';

/** The state of a tap: one bookmark per stream, and whatever else the tap or another tool keeps at the top level. */
export interface State {
  readonly state_version?: number;
  readonly bookmarks?: { readonly [stream: string]: Json };
  readonly [key: string]: Json | undefined;
}

/** What a tap promises about its state, so that a file that does not fit is refused instead of misread. */
export interface StateDeclaration {
  /** Written into every state. A higher number in a file means a newer tapworks wrote it. */
  readonly version: number;
  /** Schema of each stream's bookmark, and of top-level keys. Keys not named here are kept as they are. */
  readonly bookmarks: { readonly [stream: string]: JsonSchema };
  /** Schema of a bookmark whose stream is not named above: for taps whose streams only the source knows. */
  readonly otherBookmarks?: JsonSchema;
  readonly top?: { readonly [key: string]: JsonSchema };
  /** Turns a state of an older version into this one. */
  migrate?(state: State, from: number): State;
}

/**
 * Replaces `path` by `text`: temporary file beside it, fsync, rename, fsync of the folder. A reader sees the old or
 * the new content, also after a power cut. A link keeps pointing where it did; a pipe or device (`/dev/null`) is
 * written to, never replaced.
 */
export async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const file = await realpath(path).catch(() => path);
  const folder = dirname(file);
  const temporary = join(folder, `.${basename(file)}.${processId}.tmp`);
  let made = false;
  try {
    if (await isSpecial(path)) {
      await writeFile(path, text);
      return;
    }
    const handle = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, mode);
    made = true;
    try {
      await handle.chmod(mode);
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    made = false;
    const directory = await open(folder, constants.O_RDONLY);
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  } catch (cause) {
    if (made) await unlink(temporary).catch(() => undefined);
    throw new ConnectorError(
      'destination',
      `cannot write ${path}: ${textOf(cause)}`,
      { path },
      {
        cause,
        hint: hintFor(systemCode(cause)),
      },
    );
  }
}

/** True for a pipe, a device or a terminal. */
async function isSpecial(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && !found.isFile() && !found.isDirectory();
}

function hintFor(code: string | undefined): string {
  if (code === 'ENOSPC') return 'the disk is full: free some space and run again, nothing confirmed was lost';
  if (code === 'ENOENT') return 'create the folder first';
  return 'check that the folder exists and that this user may write there';
}

/** Writes a state file (mode 600: bookmarks can tell about data). */
export function saveState(path: string, value: Json): Promise<void> {
  return replaceFile(path, `${JSON.stringify(value)}\n`, 0o600);
}

/**
 * Reads a tap's state. Missing or empty means first run. A file that is not JSON is kept as `FILE.corrupt-<time>` and
 * the run starts over, with a warning.
 * @throws ConnectorError `state` when the file is JSON but not a state of this tap: naming the place that does not fit.
 */
export async function readState(
  path: string | undefined,
  declaration: StateDeclaration,
  log: Log,
  now: number,
  onCorrupt: 'keep aside' | 'leave' = 'keep aside',
): Promise<State> {
  if (path === undefined) return {};
  let text: string;
  try {
    text = withoutBom(await readFile(path, 'utf8'));
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return {};
    throw new ConnectorError('state', `cannot read the state file ${path}: ${textOf(cause)}`, { path }, { cause });
  }
  if (text.trim() === '') return {};
  let value: Json;
  try {
    value = parseLossless(text);
  } catch (cause) {
    if (onCorrupt === 'leave') {
      log.warn('state_corrupt', `${path} is not JSON; the next run keeps it aside and starts over`, {
        reason: jsonProblem(cause),
      });
      return {};
    }
    const kept = await keepAside(path, now);
    log.warn(
      'state_corrupt',
      `${path} is not JSON; starting over${kept === undefined ? '' : `, the file is kept as ${kept}`}`,
      {
        reason: jsonProblem(cause),
      },
    );
    return {};
  }
  return checkState(value, declaration, path);
}

/** A pipe (`--state <(…)`) cannot be moved aside; then there is nothing to keep. */
async function keepAside(path: string, now: number): Promise<string | undefined> {
  if (!(await stat(path)).isFile()) return undefined;
  const kept = `${path}.corrupt-${new Date(now).toISOString().replace(/[:.]/g, '')}`;
  await rename(path, kept).catch((cause: unknown) => {
    throw new ConnectorError(
      'state',
      `${path} is not JSON and cannot be kept aside: ${textOf(cause)}`,
      { path },
      { cause, hint: 'move it away yourself, then run again' },
    );
  });
  return kept;
}

/** Checks a parsed state against the declaration, migrating it when an older version wrote it. */
export function checkState(value: Json, declaration: StateDeclaration, path: string): State {
  const refuse = (where: string, problem: string, hint: string) =>
    new ConnectorError('state', `the state in ${path} does not fit this tap: ${where} ${problem}`, { path }, { hint });
  const other = 'point --state to the file this tap wrote, or remove it to start over';
  if (!isObject(value)) throw refuse('the whole value', 'is not an object', other);
  if (value.type === 'STATE' && 'value' in value) {
    throw refuse('the whole value', 'is a STATE message', 'a state file holds only the value of that message');
  }
  let state = value as State;
  const version = state.state_version ?? declaration.version;
  if (typeof version !== 'number') throw refuse('/state_version', 'is not a number', other);
  if (version > declaration.version) {
    throw new ConnectorError(
      'state',
      `the state in ${path} was written by a newer tapworks (state_version ${version}, this one knows ${declaration.version})`,
      { path },
      {
        hint: 'upgrade tapworks; the file was left as it is',
      },
    );
  }
  if (version < declaration.version && declaration.migrate !== undefined) state = declaration.migrate(state, version);
  const bookmarks = state.bookmarks ?? {};
  if (!isObject(bookmarks)) throw refuse('/bookmarks', 'is not an object', other);
  const check = compileSchema(schemaOf(declaration, bookmarks));
  const [fault] = check(approximate(state as Json));
  if (fault !== undefined) throw refuse(fault.path, fault.problem, other);
  return { ...state, state_version: declaration.version, bookmarks };
}

/**
 * The schema of a state, as far as these bookmarks need it. Streams that share a schema object share its compiled
 * check: one per stream of tap-pmp would take 0.35 s and 18 MB at each start (Node 26, ajv 8.20).
 */
function schemaOf(
  { bookmarks: schemas, otherBookmarks, top }: StateDeclaration,
  bookmarks: { readonly [stream: string]: Json },
): JsonSchema {
  const schemaFor = (stream: string) => (Object.hasOwn(schemas, stream) ? schemas[stream] : otherBookmarks);
  const names = Object.keys(bookmarks).filter((stream) => schemaFor(stream) !== undefined);
  const distinct = [...new Set(names.map((stream) => schemaFor(stream) as JsonSchema))];
  const reference = (stream: string) => ({
    $ref: `#/definitions/${distinct.indexOf(schemaFor(stream) as JsonSchema)}`,
  });
  return {
    type: 'object',
    definitions: Object.fromEntries(distinct.map((schema, index) => [index, schema])),
    properties: {
      ...top,
      bookmarks: { type: 'object', properties: Object.fromEntries(names.map((stream) => [stream, reference(stream)])) },
    },
  };
}
