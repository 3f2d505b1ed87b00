/**
 * Overall equipment effectiveness of a workcenter: availability × performance × quality, from the rows of the Daily
 * Performance Report (data source 18765). Pure.
 *
 * - Availability: run time by planned time, (Planned_Production_Time − Downtime_DB) / Planned_Production_Time.
 * - Performance: quantity by what was possible in the run time, Production_Qty / (Standard_Production_Rate × run hours).
 * - Quality: good by all, (Production_Qty − Reject_Qty − Scrap_Qty) / Production_Qty.
 *
 * The definitions are those of S. Nakajima's Total Productive Maintenance (1988) and of ISO 22400-2. Which columns of Plex they
 * apply to is how public clients of the report use it; Plex documents neither the columns' meaning nor their units.
 */
import { isRawNumber, type Json } from '../../singer/lossless.ts';
import type { VendorRow } from './records.ts';

/** Unit of planned time and downtime in the report. Rates are pieces per hour. */
export type TimeUnit = 'minutes' | 'hours';

/** Fractions, or null where there is nothing to divide by; times in minutes. */
export interface Oee {
  readonly availability: number | null;
  readonly performance: number | null;
  readonly quality: number | null;
  readonly oee: number | null;
  readonly plannedMinutes: number;
  readonly downtimeMinutes: number;
  readonly productionQuantity: number;
  readonly rejectQuantity: number;
  readonly scrapQuantity: number;
  /** Null where something ran without a standard rate. */
  readonly possibleQuantity: number | null;
  /** Availability or quality outside 0 to 1, or a negative time: the inputs cannot be right. Nothing is clamped. */
  readonly outOfRange: boolean;
}

function numberOf(value: Json | undefined): number | undefined {
  const number = typeof value === 'number' ? value : isRawNumber(value) ? Number(value.rawJSON) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}

/** A quotient, or null where it would be none. */
function ratio(part: number, whole: number): number | null {
  return whole > 0 ? finite(part / whole) : null;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function isShare(value: number | null): boolean {
  return value === null || (value >= 0 && value <= 1);
}

/** Quantity that a row's run time makes possible; undefined without a rate. */
function possible(row: VendorRow, minutes: number): number | undefined {
  const rate = numberOf(row.Standard_Production_Rate);
  if (minutes === 0) return 0;
  return rate === undefined || rate <= 0 ? undefined : (rate * minutes) / 60;
}

/**
 * OEE of the rows of one workcenter and window: times and quantities are summed, rates weighted by run time. Missing times
 * and quantities count as 0.
 */
export function oeeOf(rows: readonly VendorRow[], unit: TimeUnit): Oee {
  const perUnit = unit === 'hours' ? 60 : 1;
  let [planned, downtime, produced, rejected, scrapped] = [0, 0, 0, 0, 0];
  let output: number | null = 0;
  let negative = false;
  for (const row of rows) {
    const [plan, down] = [numberOf(row.Planned_Production_Time) ?? 0, numberOf(row.Downtime_DB) ?? 0];
    negative ||= plan < 0 || down < 0;
    planned += plan * perUnit;
    downtime += down * perUnit;
    produced += numberOf(row.Production_Qty) ?? 0;
    rejected += numberOf(row.Reject_Qty) ?? 0;
    scrapped += numberOf(row.Scrap_Qty) ?? 0;
    const more = possible(row, (plan - down) * perUnit);
    output = output === null || more === undefined ? null : output + more;
  }
  const availability = ratio(planned - downtime, planned);
  const performance = output === null ? null : ratio(produced, output);
  const quality = ratio(produced - (rejected + scrapped), produced);
  const whole = availability !== null && performance !== null && quality !== null;
  return {
    availability,
    performance,
    quality,
    oee: whole ? finite(availability * performance * quality) : null,
    plannedMinutes: planned,
    downtimeMinutes: downtime,
    productionQuantity: produced,
    rejectQuantity: rejected,
    scrapQuantity: scrapped,
    possibleQuantity: output,
    outOfRange: negative || !isShare(availability) || !isShare(quality),
  };
}
