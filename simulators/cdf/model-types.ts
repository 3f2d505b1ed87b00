/** Types of data modelling: properties, containers and views. */
import { type Check, type Fields, integer, isObject, listOf, number, object, oneOf, text, truth } from './shapes.ts';

/** Types that a property of a container may have. */
export const PROPERTY_TYPES = [
  'text',
  'boolean',
  'int32',
  'int64',
  'float32',
  'float64',
  'timestamp',
  'date',
  'json',
  'enum',
  'direct',
  'timeseries',
  'file',
  'sequence',
] as const;
export type PropertyType = (typeof PROPERTY_TYPES)[number];

/** Where a value is kept, and what it may be. */
export interface Property {
  /** `space/externalId` of the container. */
  readonly container: string;
  /** Its name in the container. */
  readonly name: string;
  readonly type: PropertyType;
  readonly list: boolean;
  readonly nullable: boolean;
  /** Values of an enum. */
  readonly values?: readonly string[];
  /** Filled by CDF itself. */
  readonly computed?: boolean;
}

export type Properties = Readonly<Record<string, Property>>;

/** Most values of a property that is a list. */
const MOST_VALUES = 1_000;
const LARGEST_FLOAT32 = 3.402_823_466_385_288_6e38;

export const space = text(43, 1);
export const instanceExternalId: Check = (value) =>
  text(256, 1)(value) ?? (String(value).includes('\0') ? 'must not contain a null character' : undefined);

/** A node, as a direct relation names it. */
export const nodeReference: Check = object({
  fields: { space, externalId: instanceExternalId },
  required: ['space', 'externalId'],
});

function dateLike(pattern: RegExp, example: string): Check {
  return (value) =>
    typeof value === 'string' && pattern.test(value) && !Number.isNaN(Date.parse(value))
      ? undefined
      : `must be a text like ${example}`;
}

const VALUES: Readonly<Record<Exclude<PropertyType, 'enum'>, Check>> = {
  text: text(Infinity),
  boolean: truth,
  int32: integer(-2_147_483_648, 2_147_483_647),
  int64: integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  float32: number(-LARGEST_FLOAT32, LARGEST_FLOAT32),
  float64: number(-Number.MAX_VALUE, Number.MAX_VALUE),
  timestamp: dateLike(/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?$/, '2026-03-14T06:00:00.000Z'),
  date: dateLike(/^\d{4}-\d\d-\d\d$/, '2026-03-14'),
  json: (value) => (typeof value === 'object' && value !== null ? undefined : 'must be JSON'),
  direct: nodeReference,
  timeseries: text(255, 1),
  file: text(255, 1),
  sequence: text(255, 1),
};

/** Says what is wrong with a value of a property. Null takes a value away where that is allowed. */
export function checkProperty({ type, list, nullable, values = [] }: Property, value: unknown): string | undefined {
  if (value === null) return nullable ? undefined : 'must not be null';
  const single = type === 'enum' ? oneOf(...values) : VALUES[type];
  return list ? listOf(single, MOST_VALUES)(value) : single(value);
}

/** `space/externalId`, or with a version: names that a map can hold. */
export function keyOf(...parts: readonly unknown[]): string {
  return parts.map(String).join('/');
}

/** Reads a property of a container that somebody defines. */
export function propertyFrom(container: string, name: string, definition: unknown): Property | string {
  const wanted = isObject(definition) && isObject(definition.type) ? definition.type : {};
  const type = PROPERTY_TYPES.find((known) => known === wanted.type);
  if (type === undefined) return `properties.${name}.type.type: must be one of ${PROPERTY_TYPES.join(', ')}`;
  const { nullable = true } = definition as Fields;
  const values = isObject(wanted.values) ? { values: Object.keys(wanted.values) } : {};
  return { container, name, type, list: wanted.list === true, nullable: nullable !== false, ...values };
}
