/** What a project holds when it starts. */
import { hash } from '../draw.ts';
import { ASSETS } from './assets.ts';
import { DATA_SETS } from './data-sets.ts';
import { EVENTS } from './events.ts';
import { LABELS, SEQUENCES } from './labels.ts';
import { PIPELINES } from './pipelines.ts';
import { type Context, Project } from './project.ts';
import { create } from './resource.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import { TIME_SERIES } from './time-series.ts';

/** Customer number of the invented plant. */
export const PCN = '340884';
export const PIPELINE = `plex-${PCN}`;

const DOMAINS: Readonly<Record<string, string>> = {
  plex_master: 'Plex Master Data',
  plex_production: 'Plex Production Operations',
  plex_scheduling: 'Plex Job Scheduling',
  plex_inventory: 'Plex Inventory Management',
  plex_quality: 'Plex Quality Management',
  plex_maintenance: 'Plex Maintenance Management',
};

type Filling = (context: Context, seed: number) => void;

/** Data sets and the pipeline, as after the set-up. */
function ready(context: Context): void {
  const sets = Object.entries(DOMAINS).map(([externalId, name]) => ({
    externalId,
    name,
    metadata: { source: 'Plex MES', domain: externalId.replace('plex_', '') },
  }));
  create(context, DATA_SETS, { items: sets });
  const master = context.project.of('datasets').named('plex_master');
  create(context, PIPELINES, {
    items: [{ externalId: PIPELINE, name: 'Plex', dataSetId: master?.id, source: 'Plex' }],
  });
}

const OTHERS = 40;

/** And what belongs to somebody else: in another data set, in ours, and with our prefix. */
function shared(context: Context, seed: number): void {
  ready(context);
  create(context, DATA_SETS, { items: [{ externalId: 'laboratory', name: 'Laboratory' }] });
  create(context, LABELS, { items: [{ externalId: 'pump', name: 'Pump' }] });
  const set = (name: string) => ({ dataSetId: context.project.of('datasets').named(name)?.id });
  const root = { externalId: 'lab_root', name: 'Laboratory', ...set('laboratory') };
  const pumps = Array.from({ length: OTHERS }, (_each, index) => ({
    externalId: `lab_pump_${index + 1}`,
    name: `Pump ${index + 1}`,
    parentExternalId: 'lab_root',
    metadata: { serial: String(hash(seed, 'serial', index)) },
    labels: [{ externalId: 'pump' }],
    ...set('laboratory'),
  }));
  const near = { externalId: `PCN${PCN}_lab_scale`, name: 'Scale', parentExternalId: 'lab_root', ...set('laboratory') };
  const inside = { externalId: 'hand_made', name: 'Made by hand', ...set('plex_master') };
  create(context, ASSETS, { items: [root, ...pumps, near, inside] });
  const assetIds = [context.project.of('assets').named('lab_pump_1')?.id];
  create(context, EVENTS, {
    items: [{ externalId: 'lab_test', type: 'test', startTime: 0, assetIds, ...set('laboratory') }],
  });
  create(context, TIME_SERIES, {
    items: [{ externalId: 'lab_pressure', name: 'Pressure', unit: 'bar', ...set('laboratory') }],
  });
  create(context, SEQUENCES, {
    items: [
      { externalId: 'lab_curve', columns: [{ externalId: 'flow' }], ...set('laboratory') },
      { externalId: `PCN${PCN}_old_curve`, columns: [{ externalId: 'flow' }], ...set('plex_master') },
    ],
  });
}

const PROFILES: Readonly<Record<string, Filling>> = { empty: () => undefined, ready, shared };

/** Names that `--profile` takes. */
export const PROFILE_NAMES: readonly string[] = Object.keys(PROFILES);

/** A project as a profile has it. @throws Error that lists the known names. */
export function projectFor(profile: string, seed: number, now: number): Project {
  const filling = Object.hasOwn(PROFILES, profile) ? PROFILES[profile] : undefined;
  if (!filling) throw new Error(`unknown profile "${profile}"; known profiles: ${PROFILE_NAMES.join(', ')}`);
  const project = new Project();
  filling({ project, now, settings: DEFAULT_SETTINGS }, seed);
  return project;
}
