/** Records as a tap of patch mappings would bring them: the same ones each time, about 390 bytes a message. */
import { linesInto } from './blocks.ts';

/** Mappings of one tenant. */
export const MAPPINGS = 165_850;

export const STREAM = 'patch_mappings';

const PATCHES_PER_SYSTEM = 50;
const SEVERITIES = ['Critical', 'Important', 'Moderate', 'Low', 'Unrated'] as const;

const text = { type: ['string', 'null'] };
const SCHEMA = {
  type: 'SCHEMA',
  stream: STREAM,
  key_properties: ['snapshot_id', 'resource_id', 'patch_id'],
  schema: {
    type: 'object',
    properties: {
      snapshot_id: { type: 'integer' },
      resource_id: { type: 'string' },
      patch_id: { type: 'string' },
      resource_name: text,
      patch_name: text,
      bulletin_id: text,
      severity: text,
      patch_status: text,
      vendor_name: text,
      installed_time: { type: ['string', 'null'], format: 'date-time' },
      extracted_at: { type: 'string', format: 'date-time' },
    },
  },
};

function mapping(index: number): Readonly<Record<string, string | number | null>> {
  const system = Math.floor(index / PATCHES_PER_SYSTEM);
  const patch = (index % PATCHES_PER_SYSTEM) * 7 + (system % 7);
  const installed = (system * 31 + patch) % 5 !== 0;
  return {
    snapshot_id: 1_700_000_000,
    resource_id: String(40_000_000_000_000 + system),
    patch_id: String(600_000 + patch),
    resource_name: `WS-${String(system + 1).padStart(5, '0')}`,
    patch_name: `windows-x64-kb99${String(patch).padStart(5, '0')}-${(system * patch) % 977}.msu`,
    bulletin_id: `EX24-${String(patch).padStart(4, '0')}`,
    severity: SEVERITIES[patch % SEVERITIES.length] ?? null,
    patch_status: installed ? 'Installed' : 'Missing',
    vendor_name: 'ExampleVendor',
    installed_time: installed ? new Date(1_700_000_000_000 + index * 1_000).toISOString() : null,
    extracted_at: '2026-01-15T02:00:00Z',
  };
}

/**
 * Writes `rows` records as messages, with a state every 10,000, and the same rows as CSV if a path is given. The record
 * `spoilt` does not fit the schema.
 */
export function writeMappings(rows: number, messages: string, csv?: string, spoilt?: number): void {
  const out = linesInto(messages);
  const table = csv === undefined ? undefined : linesInto(csv);
  out.line(JSON.stringify(SCHEMA));
  for (let index = 0; index < rows; index += 1) {
    const record = index === spoilt ? { ...mapping(index), patch_name: 5 } : mapping(index);
    out.line(JSON.stringify({ type: 'RECORD', stream: STREAM, record }));
    // No value holds a comma, a quote or a line end.
    table?.line(Object.values(record).join(','));
    if ((index + 1) % 10_000 === 0) out.line(JSON.stringify({ type: 'STATE', value: { rows: index + 1 } }));
  }
  out.line(JSON.stringify({ type: 'STATE', value: { rows } }));
  out.close();
  table?.close();
}
