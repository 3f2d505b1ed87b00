/** A plant that lives: the clock goes on, rows change, and the tap runs every five minutes. */
import { expect } from 'vitest';
import { random } from '../pipe/killing.ts';
import { differences, EVERYTHING, type Fields, MINUTE, Plant, Tables } from './plex-plant.ts';

/**
 * Streams whose rows change by hand, with a field that may. Containers change by themselves: they are moved. One that was changed
 * by hand as well would keep the date of that at the simulator.
 */
const CHANGES: readonly (readonly [stream: string, key: string, patch: (draw: number) => Fields])[] = [
  ['parts', 'id', (draw) => ({ note: `Changed ${draw}` })],
  ['buildings', 'id', (draw) => ({ name: `Plant ${draw}` })],
  ['workcenters', 'workcenterId', (draw) => ({ plcName: `PLC${draw}` })],
  ['operations', 'id', (draw) => ({ type: `Type ${draw}` })],
  ['locations', 'locationId', (draw) => ({ locationType: `Rack ${draw}` })],
  ['specifications', 'id', (draw) => ({ note: `Changed ${draw}` })],
  ['jobs', 'id', (draw) => ({ priority: `P${draw}` })],
  ['scrap_entries', '_key', (draw) => ({ partNumber: `DP-${draw}` })],
];

/** How long after a booking Plex may still change it and be noticed. */
const NOTICED = 20 * 60 * MINUTE;

export interface DayReport {
  readonly seed: number;
  readonly runs: number;
  readonly mutations: number;
  readonly rows: number;
}

/**
 * Lives through `minutes` with a run every five of them and a change by hand before each. At the end every row of every stream
 * is in the tables as the plant has it.
 */
export async function liveThrough(minutes: number, seed: number): Promise<DayReport> {
  const next = random(seed);
  const plant = await Plant.open({}, EVERYTHING);
  const tables = new Tables();
  let [runs, mutations, rows] = [0, 0, 0];
  for (let minute = 0; minute <= minutes; minute += 5) {
    const output = await plant.run();
    expect(output.code, output.summary).toBe(0);
    tables.load(output);
    runs += 1;
    rows += output.messages.filter(({ type }) => type === 'RECORD').length;
    // The last run is after the last change.
    if (minute + 5 > minutes) break;
    plant.advance(5 * MINUTE);
    const [stream, key, patch] = CHANGES[Math.floor(next() * CHANGES.length)] ?? (CHANGES[0] as (typeof CHANGES)[0]);
    const known = plant.truth(stream).filter(({ fields }) => isOpenTo(stream, fields, plant));
    const chosen = known[Math.floor(next() * known.length)];
    if (chosen === undefined) continue;
    plant.simulator.site.records.change(stream, String(chosen.key[key]), patch(Math.floor(next() * 1000)));
    mutations += 1;
  }
  for (const { declaration } of (await import('../../taps/plex/streams.ts')).STREAMS)
    expect(differences(plant, tables, declaration.name).slice(0, 1)).toEqual([]);
  return { seed, runs, mutations, rows };
}

/** What was booked long ago, or completed, is not read again. */
function isOpenTo(stream: string, fields: Fields, plant: Plant): boolean {
  if (stream === 'jobs') return fields.completedDate === null;
  if (stream !== 'scrap_entries') return true;
  return plant.clock.now() - Date.parse(String(fields.transactionDate)) < NOTICED;
}
