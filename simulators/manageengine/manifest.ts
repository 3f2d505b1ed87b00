import type { Customer } from './customers.ts';
import { ENDPOINTS, type Endpoint } from './endpoints.ts';

/** The truth about one stream; ids on request. */
export interface ManifestStream {
  readonly rows: number;
  /** Of pairs: `resource_id/patch_id`. */
  readonly ids?: readonly string[];
  /** Ids that were there and are gone. */
  readonly removed?: readonly string[];
}

export interface Manifest {
  readonly streams: Readonly<Record<string, ManifestStream>>;
}

export interface ManifestOptions {
  readonly ids?: boolean;
  /** Only this stream. */
  readonly stream?: string;
  /** Name of a customer of an MSP server; the first one when absent. */
  readonly customer?: string;
}

/** Ids of 365,487 rows are for those who ask for this stream alone. */
const IDS_ON_DEMAND = 'supported_patches';

function entry({ population, pairs }: Customer, endpoint: Endpoint, ids: boolean): ManifestStream {
  if (endpoint.kind === 'view') {
    const rows = pairs.count(endpoint.view);
    return ids ? { rows, ids: pairs.ids(endpoint.view) } : { rows };
  }
  if (endpoint.kind !== 'list') return { rows: 1 };
  const { list } = endpoint;
  const rows = population.total(list);
  if (!ids) return { rows };
  return {
    rows,
    ids: population.members(list).map((member) => population.id(list, member)),
    removed: population.removed(list),
  };
}

/** What a customer really has. `serves` says which paths the server answers; others are left out. */
export function manifestOf(
  customer: Customer,
  serves: (path: string) => boolean,
  options: Pick<ManifestOptions, 'ids' | 'stream'>,
): Manifest {
  const streams: Record<string, ManifestStream> = {};
  for (const [path, endpoint] of Object.entries(ENDPOINTS)) {
    if (endpoint.kind === 'customers' || !serves(path)) continue;
    const { stream } = endpoint;
    if (options.stream !== undefined && options.stream !== stream) continue;
    const ids = options.ids === true && (stream !== IDS_ON_DEMAND || options.stream === stream);
    streams[stream] = entry(customer, endpoint, ids);
  }
  return { streams };
}
