/** What each stream of a tap would deliver: rows to compare tables with, and how many there are. */
import { checksheetColumns, checksheetRecord } from './data-source-checksheets.ts';
import { oeeRows } from './performance.ts';
import type { Row } from './plant.ts';
import { checksheetCount, checksheetsWithin } from './quality.ts';
import type { Records } from './records.ts';
import { type HistoryName, historyOf, type MasterName, masterOf } from './row-sets.ts';
import { keyed } from './synthetic-keys.ts';
import type { Window } from './timeline.ts';

/** One row of a stream. */
export interface TruthLine {
  readonly key: Row;
  readonly fields: Row;
}

interface StreamTruth {
  readonly lines: (records: Records, window: Window) => Iterable<TruthLine>;
  /** Without it the lines are counted one by one. */
  readonly count?: (records: Records, window: Window) => number;
}

function picked(row: Row, names: readonly string[]): Row {
  return Object.fromEntries(names.map((name) => [name, row[name]]));
}

function master(name: MasterName): StreamTruth {
  return {
    *lines(records) {
      for (const row of records.masters(name)) yield { key: picked(row, [masterOf(name).key]), fields: row };
    },
    count: (records) => records.countMasters(name),
  };
}

function history(name: HistoryName): StreamTruth {
  return {
    *lines(records, window) {
      for (const [_key, row] of keyed(records.history(name, window), historyOf(name).key)) {
        yield { key: { _key }, fields: { _key, ...row } };
      }
    },
    count: (records, window) => records.countHistory(name, window),
  };
}

/** The control endpoint says `id` where all others say `workcenterId`. */
const workcenterStatus: StreamTruth = {
  *lines(records) {
    for (const { id, ...others } of records.masters('workcenter_status')) {
      yield { key: { workcenterId: id }, fields: { workcenterId: id, ...others } };
    }
  },
  count: (records) => records.countMasters('workcenter_status'),
};

const NO_WIP = ['Shipped', 'Scrap', 'Inactive', 'Empty'];

/** Work in progress: by type, and where there is none, by a status that is not the end of work. */
function isWip({ inventoryType, containerStatus }: Row): boolean {
  if (inventoryType !== null) return String(inventoryType).toLowerCase() === 'wip';
  return !NO_WIP.includes(String(containerStatus));
}

const wip: StreamTruth = {
  *lines(records) {
    for (const row of records.masters('containers')) {
      if (isWip(row)) yield { key: picked(row, ['serialNo', 'updateDateTime']), fields: row };
    }
  },
};

/** `Inspection_Date` becomes `inspectionDate`, and a number of a checksheet is spelled out. */
function camelCase(column: string): string {
  if (column === 'Checksheet_No') return 'checksheetNumber';
  const [first = '', ...others] = column.split('_');
  return first.toLowerCase() + others.join('');
}

const CHECKSHEET_FIELDS = checksheetColumns.map(({ name }) => [name, camelCase(name)] as const);

const checksheets: StreamTruth = {
  *lines(records, window) {
    const visible = records.visible(window);
    if (!visible) return;
    for (const sheet of checksheetsWithin(records.plant, visible)) {
      const record = checksheetRecord(records.plant, sheet);
      const fields = Object.fromEntries(CHECKSHEET_FIELDS.map(([column, field]) => [field, record[column] ?? null]));
      yield { key: picked(fields, ['checksheetNumber']), fields };
    }
  },
  count: (records, window) => {
    const visible = records.visible(window);
    return visible ? checksheetCount(records.plant, visible) : 0;
  },
};

const oeeMetrics: StreamTruth = {
  *lines(records, window) {
    for (const row of oeeRows(records, window)) {
      yield { key: picked(row, ['workcenterCode', 'windowStart', 'windowEnd']), fields: row };
    }
  },
};

const TRUTHS: Readonly<Record<string, StreamTruth>> = {
  buildings: master('buildings'),
  workcenters: master('workcenters'),
  workcenter_statuses: master('workcenter_statuses'),
  parts: master('parts'),
  operations: master('operations'),
  part_operations: master('part_operations'),
  locations: master('locations'),
  boms: master('boms'),
  jobs: master('jobs'),
  job_operations: master('job_operations'),
  containers: master('containers'),
  wip,
  container_movements: history('container_movements'),
  workcenter_status: workcenterStatus,
  workcenter_status_entries: history('workcenter_status_entries'),
  production_entries: history('production_entries'),
  scrap_entries: history('scrap_entries'),
  specifications: master('specifications'),
  checksheets,
  oee_metrics: oeeMetrics,
};

export const STREAMS: readonly string[] = Object.keys(TRUTHS);

function truthOf(stream: string): StreamTruth {
  const truth = Object.hasOwn(TRUTHS, stream) ? TRUTHS[stream] : undefined;
  if (!truth) throw new Error(`unknown stream "${stream}"; known streams: ${STREAMS.join(', ')}`);
  return truth;
}

/** How many rows a stream has; of those that happened at a time, within the window. @throws Error for an unknown stream. */
export function countOf(records: Records, stream: string, window: Window): number {
  const { count, lines } = truthOf(stream);
  if (count) return count(records, window);
  let rows = 0;
  for (const _ of lines(records, window)) rows += 1;
  return rows;
}

function withoutNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNames);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => name !== 'employeeName');
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutNames(inner)]));
}

function* nameless(lines: Iterable<TruthLine>): Generator<TruthLine> {
  for (const { key, fields } of lines) yield { key, fields: withoutNames(fields) as Row };
}

/** The rows of a stream, without names of employees unless they are asked for. @throws Error for an unknown stream. */
export function linesOf(records: Records, stream: string, window: Window, names = false): Iterable<TruthLine> {
  const lines = truthOf(stream).lines(records, window);
  return names ? lines : nameless(lines);
}
