/** Containers and work in progress: one list feeds both. */
import containerSchema from '../../schemas/plex/containers.json' with { type: 'json' };
import wipSchema from '../../schemas/plex/wip.json' with { type: 'json' };
import type { Settings } from '../../singer/config.ts';
import type { RowGroup } from '../../singer/stream.ts';
import { HOUR } from './dates.ts';
import { Changes, completed, declarationOf } from './lists.ts';
import type { VendorRow } from './records.ts';
import { list } from './rest.ts';
import { checkpointOf, type PlexStream, recordsOf, textsOf } from './stream.ts';

const PATH = '/inventory/v1/inventory-tracking/containers';
const CHANGED = { changed: 'updateDateTime', lookback: HOUR, lookbackText: 'an hour', fullPasses: false } as const;

const CONTAINERS = declarationOf({ name: 'containers', schema: containerSchema, key: ['serialNo'] }, CHANGED.changed);
const WIP = declarationOf({ name: 'wip', schema: wipSchema, key: ['serialNo', 'updateDateTime'] }, CHANGED.changed);

function lowered(settings: Settings, name: string): ReadonlySet<string> {
  return new Set(textsOf(settings, name).map((text) => text.toLowerCase()));
}

/**
 * Whether a container is work in progress: by its status where the settings name such statuses; else by its inventory type,
 * and where that is unknown by a status that does not end the work.
 */
export function wipTest(settings: Settings): (container: VendorRow) => boolean {
  const [statuses, types, excluded] = [
    lowered(settings, 'wip_statuses'),
    lowered(settings, 'wip_inventory_types'),
    lowered(settings, 'wip_excluded_statuses'),
  ];
  return ({ inventoryType = null, containerStatus = null }) => {
    const status = String(containerStatus).toLowerCase();
    if (statuses.size > 0) return statuses.has(status);
    return inventoryType === null ? !excluded.has(status) : types.has(String(inventoryType).toLowerCase());
  };
}

export const containers: PlexStream = {
  declaration: CONTAINERS,
  group: 'inventory',
  source: PATH,
  product: 'inventory',
  manner: 'one list; rows whose updateDateTime is new, and an hour before',
  mandatory: true,
  checkpoint: checkpointOf([CHANGED.changed], ['rows']),
  async *read(reading) {
    const lanes = [
      { declaration: CONTAINERS, has: () => true },
      { declaration: WIP, has: wipTest(reading.settings) },
    ]
      .filter(({ declaration }) => reading.wants(declaration.name))
      .map(({ declaration, has }) => ({
        name: declaration.name,
        has,
        changes: new Changes(reading, declaration.name, CHANGED),
        toRecord: reading.recordReader(declaration),
      }));
    const groups = await list(reading.connection.rest, { stream: lanes[0]?.name ?? CONTAINERS.name, path: PATH });
    const { version } = reading;
    let total = 0;
    yield {
      rows: (async function* (): AsyncGenerator<RowGroup> {
        for await (const rows of groups) {
          total += rows.length;
          for (const { name, has, changes, toRecord } of lanes) {
            const records = recordsOf(
              rows.filter((row) => changes.has(row) && has(row)),
              toRecord,
            );
            // Work in progress is a history of states: none of them vanishes.
            const versioned = version !== undefined && name === CONTAINERS.name;
            if (records.length > 0) yield { stream: name, records, ...(versioned && { version }) };
          }
        }
      })(),
      get complete() {
        return reading.wants(CONTAINERS.name) ? completed(CONTAINERS.name, version, total) : [];
      },
      get bookmarks() {
        return Object.fromEntries(lanes.map(({ name, changes }) => [name, { ...changes.newest, rows: total }]));
      },
    };
  },
  plan: () => ({ calls: 1, assumed: false }),
};

export const wip: PlexStream = {
  ...containers,
  declaration: WIP,
  manner: 'from the list of containers; a row per state',
  fedBy: CONTAINERS.name,
  plan: (planning) => ({ calls: planning.wants(CONTAINERS.name) ? 0 : 1, assumed: false }),
};
