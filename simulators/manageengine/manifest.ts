import type { Customer } from './customers.ts';
import { ENDPOINTS, type Endpoint } from './endpoints.ts';
import { type StreamTruth, truthOfList, truthOfPairs } from './stream-truth.ts';

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

/** The streams that come from an endpoint. */
function truths(endpoint: Endpoint): Readonly<Record<string, StreamTruth>> {
  switch (endpoint.kind) {
    case 'customers':
      return {};
    case 'threats':
      return endpoint.call.streams;
    case 'view':
      return { [endpoint.stream]: truthOfPairs(endpoint.view === 'systemreport' ? 'scandetails' : undefined) };
    case 'list':
      return { [endpoint.stream]: truthOfList(endpoint.list) };
    case 'singleton':
      return { [endpoint.stream]: { rows: () => 1 } };
  }
}

function entry(customer: Customer, { rows, ids, removed }: StreamTruth, withIds: boolean): ManifestStream {
  return {
    rows: rows(customer),
    ...(withIds && ids && { ids: ids(customer) }),
    ...(withIds && removed && { removed: removed(customer) }),
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
    if (!serves(path)) continue;
    for (const [stream, truth] of Object.entries(truths(endpoint))) {
      if (options.stream !== undefined && options.stream !== stream) continue;
      const ids = options.ids === true && (stream !== IDS_ON_DEMAND || options.stream === stream);
      streams[stream] = entry(customer, truth, ids);
    }
  }
  return { streams };
}
