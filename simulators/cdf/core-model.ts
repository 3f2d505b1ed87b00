/** The part of Cognite's core data model (space `cdf_cdm`, version `v1`) that plant data goes to. */
import { keyOf, type Properties, type Property, type PropertyType } from './model-types.ts';

export const CORE_SPACE = 'cdf_cdm';
export const CORE_VERSION = 'v1';

type Sketch = Readonly<Record<string, PropertyType | `${PropertyType}[]`>>;

const SKETCHES = {
  CogniteDescribable: { name: 'text', description: 'text', tags: 'text[]', aliases: 'text[]' },
  CogniteSourceable: {
    sourceId: 'text',
    sourceContext: 'text',
    source: 'direct',
    sourceCreatedTime: 'timestamp',
    sourceUpdatedTime: 'timestamp',
    sourceCreatedUser: 'text',
    sourceUpdatedUser: 'text',
  },
  CogniteSchedulable: {
    startTime: 'timestamp',
    endTime: 'timestamp',
    scheduledStartTime: 'timestamp',
    scheduledEndTime: 'timestamp',
  },
  CogniteVisualizable: { object3D: 'direct' },
  CogniteAsset: {
    parent: 'direct',
    root: 'direct',
    path: 'direct[]',
    pathLastUpdatedTime: 'timestamp',
    assetClass: 'direct',
    type: 'direct',
  },
  CogniteTimeSeries: {
    type: 'enum',
    isStep: 'boolean',
    sourceUnit: 'text',
    unit: 'direct',
    assets: 'direct[]',
    equipment: 'direct[]',
  },
  CogniteActivity: { assets: 'direct[]', equipment: 'direct[]', timeSeries: 'direct[]' },
} as const satisfies Readonly<Record<string, Sketch>>;

type CoreName = keyof typeof SKETCHES;

const REQUIRED: readonly string[] = ['CogniteTimeSeries.type', 'CogniteTimeSeries.isStep'];
/** CDF works out where an asset stands from its parents. */
const COMPUTED: readonly string[] = ['CogniteAsset.root', 'CogniteAsset.path', 'CogniteAsset.pathLastUpdatedTime'];

function propertyOf(container: string, name: string, type: string): Property {
  const full = `${container}.${name}`;
  return {
    container: keyOf(CORE_SPACE, container),
    name,
    type: type.replace('[]', '') as PropertyType,
    list: type.endsWith('[]'),
    nullable: !REQUIRED.includes(full),
    ...(type === 'enum' && { values: ['numeric', 'string'] }),
    ...(COMPUTED.includes(full) && { computed: true }),
  };
}

function propertiesOf(...names: readonly CoreName[]): Properties {
  const pairs = names.flatMap((container) =>
    Object.entries<string>(SKETCHES[container]).map(
      ([name, type]) => [name, propertyOf(container, name, type)] as const,
    ),
  );
  return Object.fromEntries(pairs);
}

/** Containers by their external id. */
export const CORE_CONTAINERS: Readonly<Record<string, Properties>> = Object.fromEntries(
  (Object.keys(SKETCHES) as CoreName[]).map((name) => [name, propertiesOf(name)]),
);

/** Views by their external id. */
export const CORE_VIEWS: Readonly<Record<string, Properties>> = {
  CogniteDescribable: propertiesOf('CogniteDescribable'),
  CogniteSourceable: propertiesOf('CogniteSourceable'),
  CogniteSchedulable: propertiesOf('CogniteSchedulable'),
  CogniteVisualizable: propertiesOf('CogniteVisualizable'),
  CogniteAsset: propertiesOf('CogniteDescribable', 'CogniteSourceable', 'CogniteVisualizable', 'CogniteAsset'),
  CogniteTimeSeries: propertiesOf('CogniteDescribable', 'CogniteSourceable', 'CogniteTimeSeries'),
  CogniteActivity: propertiesOf('CogniteDescribable', 'CogniteSourceable', 'CogniteSchedulable', 'CogniteActivity'),
};
