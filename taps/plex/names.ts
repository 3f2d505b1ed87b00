/** Personal names, which leave Plex only when they are asked for. */
import type { Settings } from '../../singer/config.ts';
import { isObject, type Json, type Row } from '../../singer/lossless.ts';
import type { Selected } from '../../singer/stream.ts';

const NAME = 'employeeName';

/** A value without the names that stand anywhere in it. */
export function withoutNames(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNames);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== NAME)
      .map(([name, inner]) => [name, withoutNames(inner)]),
  );
}

function mayHold(value: Json | undefined): boolean {
  return typeof value === 'object' && value !== null && !JSON.isRawJSON(value);
}

/** The record without names, at its top and inside lists such as `operators`. */
function nameless(record: Row): Row {
  const rest: Record<string, Json> = {};
  for (const [name, value] of Object.entries(record)) {
    if (name === NAME || value === undefined) continue;
    rest[name] = mayHold(value) ? withoutNames(value) : value;
  }
  return rest;
}

/** The stream as the setting `include_employee_names` wants it: without the property and without its values unless it is on. */
export function withoutEmployeeNames(selected: Selected, settings: Settings): Selected {
  if (settings.include_employee_names === true) return selected;
  const { [NAME]: _dropped, ...properties } = selected.schema.properties ?? {};
  return { ...selected, schema: { ...selected.schema, properties }, apply: nameless };
}
