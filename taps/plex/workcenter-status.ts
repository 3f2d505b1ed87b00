/** What each workcenter does now. Plex gives the answer no time, so a row is an observation, made when it has changed. */
import { hash } from 'node:crypto';
import schema from '../../schemas/plex/workcenter_status.json' with { type: 'json' };
import { timestamp } from '../../singer/io.ts';
import { isObject, type Json } from '../../singer/lossless.ts';
import type { RowGroup } from '../../singer/stream.ts';
import { Children, idsIn } from './children.ts';
import { declarationOf } from './lists.ts';
import { withoutNames } from './names.ts';
import { remembered } from './parents.ts';
import { wholeList } from './rest.ts';
import { checkpointOf, type PlexStream, type Reading } from './stream.ts';

const NAME = 'workcenter_status';
const LIST = '/production/v1/production-definitions/workcenters';
const CONTROL = '/production/v1/control/workcenters';

const DECLARATION = declarationOf({ name: NAME, schema, key: ['workcenterId', 'observedAt'] }, 'observedAt');

/** Prints of answers as they stand in the state: names of employees leave no trace in it. */
function signatureOf(row: Json): string {
  return `sha1:${hash('sha1', JSON.stringify(withoutNames(row)), 'hex')}`;
}

/** Workcenters that were seen in this run. */
const seen = new WeakMap<Reading, string[]>();

export const workcenterStatus: PlexStream = {
  declaration: DECLARATION,
  group: 'production',
  source: `${CONTROL}/{workcenterId}`,
  product: 'production',
  manner: 'one request per workcenter; a row when the answer has changed',
  mandatory: true,
  checkpoint: checkpointOf([], ['workcenters'], {
    signatures: { type: 'object', additionalProperties: { type: 'string' } },
    missing: { type: 'array', items: { type: 'string' } },
  }),
  follow(reading) {
    const ids: string[] = [];
    seen.set(reading, ids);
    reading.parents.follow('workcenters', ({ workcenterId }) => {
      if (typeof workcenterId === 'string') ids.push(remembered(workcenterId));
    });
  },
  async *read(reading) {
    const before = reading.bookmark(NAME);
    // A workcenter that was never set up stays so until the master data are read again.
    const known = reading.parents.whole('workcenters');
    const left = new Set(known ? [] : idsIn(before.missing));
    const all = known ? (seen.get(reading) ?? []) : await idsOf(reading);
    const children = new Children(reading, {
      stream: NAME,
      kind: 'record',
      path: (workcenter) => `${CONTROL}/${encodeURIComponent(workcenter)}`,
    });
    const signatures: Record<string, Json> = isObject(before.signatures) ? { ...before.signatures } : {};
    const missing = new Set(left);
    const toRecord = reading.recordReader(DECLARATION);
    const { clock } = reading.run;
    yield {
      rows: (async function* (): AsyncGenerator<RowGroup> {
        for await (const answer of children.read(all.filter((id) => !left.has(id)))) {
          if (answer.outcome === 'gone') missing.add(answer.parent);
          if (answer.outcome !== 'read') continue;
          const { id, ...others } = answer.rows[0] ?? {};
          const signature = signatureOf(others);
          if (signatures[answer.parent] === signature) continue;
          // The definitions call it workcenterId, the control endpoint id.
          const record = toRecord({ workcenterId: id ?? answer.parent, observedAt: timestamp(clock.now()), ...others });
          if (record === undefined) continue;
          signatures[answer.parent] = signature;
          yield { stream: NAME, records: [record] };
        }
      })(),
      get bookmarks() {
        return { [NAME]: { workcenters: all.length, signatures, missing: [...missing] } };
      },
    };
    if (children.incomplete !== undefined) throw children.incomplete;
  },
  plan(planning) {
    const list = planning.wants('workcenters') ? 0 : 1;
    const before = planning.bookmark(NAME);
    const count = planning.bookmark('workcenters').rows ?? before.workcenters;
    const missing = list === 0 ? 0 : idsIn(before.missing).length;
    const known = typeof count === 'number' ? count : undefined;
    return {
      calls: list + (known ?? planning.assumption('workcenters')) - missing,
      assumed: known === undefined,
    };
  },
};

async function idsOf(reading: Reading): Promise<readonly string[]> {
  const rows = await wholeList(reading.connection.rest, { stream: NAME, path: LIST });
  return rows.flatMap(({ workcenterId }) => (typeof workcenterId === 'string' ? [remembered(workcenterId)] : []));
}
