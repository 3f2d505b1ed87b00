/** The commands of releases: to look at them, to bring one live by hand, and to remove one. */
import { ConnectorError } from '../../../singer/errors.ts';
import type { CommandContext } from '../../../singer/sink.ts';
import { connect, type Session } from '../connection.ts';
import { dropRelease, formerOnes } from './drop.ts';
import { hasLedger, type Release, readLedger, wasLive } from './ledger.ts';
import type { Place } from './settings.ts';
import { schemaOid, switchTo } from './switch.ts';
import { takeTurn } from './turn.ts';

interface Scene extends Place {
  readonly session: Session;
  readonly context: CommandContext;
  /** The newest first. */
  readonly releases: readonly Release[];
}

async function inScene(
  place: Place,
  context: CommandContext,
  alone: boolean,
  body: (scene: Scene) => Promise<void>,
): Promise<void> {
  const session = await connect(place.address, place.patience);
  try {
    if (alone) await takeTurn(session, place.schema);
    const releases = (await hasLedger(session)) ? await readLedger(session, place.schema) : [];
    await body({ ...place, session, context, releases });
  } finally {
    await session.end();
  }
}

/** What `releases` prints of one. */
function told(
  { release, status, oid, tables, note, startedAt, switchedAt, replaced }: Release,
  schema: string,
  live: string | undefined,
) {
  return {
    release,
    status: status === 'live' && oid !== live ? 'superseded' : status,
    schema: status === 'dropped' ? null : oid === live ? schema : release,
    started_at: startedAt ?? null,
    live_since: switchedAt ?? null,
    replaced: replaced ?? null,
    note: note ?? null,
    tables: Object.fromEntries(
      Object.entries(tables).map(([name, { rows, hash }]) => [name, { rows, content_hash: hash }]),
    ),
  };
}

/** `releases`: every release, the newest first. */
export function listReleases(place: Place, context: CommandContext): Promise<void> {
  return inScene(place, context, false, async ({ session, schema, releases }) => {
    const live = await schemaOid(session, schema);
    const all = releases.map((release) => told(release, schema, live));
    if (context.json) return context.print(JSON.stringify({ live_schema: schema, releases: all }));
    if (all.length === 0) return context.print(`schema "${schema}" has no releases`);
    for (const { release, status, started_at, tables, note } of all) {
      const rows = Object.entries(tables).map(([name, one]) => `${name} ${one.rows}`);
      const why = note === null ? '' : `  (${note})`;
      await context.print(
        `${release}  ${status.padEnd(11)}  ${started_at ?? 'before all others'}  ${rows.join(', ')}${why}`,
      );
    }
  });
}

/** `promote`: makes a release live. Without a name the newest that waits for it or was rolled back. */
export function promote(place: Place, context: CommandContext): Promise<void> {
  return inScene(place, context, true, async (scene) => {
    const waits = ({ status }: Release) => status === 'waiting' || status === 'rolled_back';
    const refused = scene.releases.find(({ status }) => status === 'refused');
    const next =
      named(scene) ??
      scene.releases.find(waits) ??
      nothing(
        scene,
        'there is no release to promote',
        refused === undefined
          ? 'load one with release blue_green'
          : `name it to promote one that was refused: ${refused.release}`,
      );
    if (next.status === 'refused' || next.status === 'loaded') {
      const why = next.status === 'loaded' ? 'was never checked' : `had been refused: ${next.note ?? ''}`;
      context.log.warn('release_forced', `release ${next.release} ${why}`);
    }
    await bring(scene, next, 'superseded');
  });
}

/** `rollback`: brings back the release that the live one has replaced, or an older one by name. */
export function rollback(place: Place, context: CommandContext): Promise<void> {
  return inScene(place, context, true, async (scene) => {
    const oid = await schemaOid(scene.session, scene.schema);
    const live = scene.releases.find((release) => release.oid === oid);
    const before = scene.releases.find(({ release }) => release === live?.replaced);
    const next =
      named(scene) ??
      (before?.status === 'dropped' ? undefined : before) ??
      nothing(
        scene,
        'the release before the live one is gone, or there was none',
        'load again, or promote another release by its name',
      );
    if (!wasLive(next)) {
      throw refusal(
        `release ${next.release} was never live, so nothing can be rolled back to it`,
        'use target-postgres promote',
      );
    }
    await bring(scene, next, 'rolled_back');
  });
}

async function bring(scene: Scene, next: Release, former: 'superseded' | 'rolled_back'): Promise<void> {
  const { session, schema, patience, context } = scene;
  const expected = await schemaOid(session, schema);
  if (next.oid === expected)
    throw refusal(`release ${next.release} is live already`, 'target-postgres releases lists the others');
  const order = { live: schema, next, expected, former, lockSeconds: patience.lockSeconds, run: context.id };
  await switchTo(session, order, context);
  await say(
    context,
    { release: next.release, schema, status: 'live' },
    `release ${next.release} is live as schema "${schema}"`,
  );
}

/** `drop`: removes a release that is not live. Without a name the oldest of the former ones. */
export function drop(place: Place, context: CommandContext): Promise<void> {
  return inScene(place, context, true, async (scene) => {
    const { session, schema, patience } = scene;
    const gone =
      named(scene) ??
      formerOnes(scene.releases).at(-1) ??
      nothing(scene, 'there is no former release to drop', 'name one that is not live');
    if (gone.oid === (await schemaOid(session, schema)))
      throw refusal(`release ${gone.release} is live`, 'promote another one first');
    await dropRelease(session, gone.release, patience.lockSeconds, context.clock.now());
    await say(context, { release: gone.release, status: 'dropped' }, `release ${gone.release} was dropped`);
  });
}

function named({ context, releases, schema }: Scene): Release | undefined {
  const { operand } = context;
  if (operand === undefined) return undefined;
  const found = releases.find(({ release }) => release === operand);
  if (found !== undefined && found.status !== 'dropped') return found;
  throw refusal(
    found === undefined ? `schema "${schema}" has no release "${operand}"` : `release "${operand}" was dropped`,
    'target-postgres releases lists them',
  );
}

function nothing({ schema }: Scene, problem: string, hint: string): never {
  throw refusal(`schema "${schema}": ${problem}`, hint);
}

function refusal(problem: string, hint: string): ConnectorError {
  return new ConnectorError('destination', problem, {}, { hint });
}

function say(context: CommandContext, json: object, text: string): Promise<void> {
  return context.print(context.json ? JSON.stringify(json) : text);
}
