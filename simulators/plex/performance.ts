/** How well workcenters perform: what data sources 18765 and 22870 tell, and OEE made of it. */
import { type Column, columnsOf, type Inputs, partKey, workcenterKey, workcenterOf } from './data-source.ts';
import { DAY, msOf, secondsText } from './dates.ts';
import { partName } from './parts.ts';
import type { Plant, Row } from './plant.ts';
import type { Records } from './records.ts';
import { type PartOperation, someOperation, standardRate } from './routings.ts';
import type { Window } from './timeline.ts';
import { isSetUp, statusOf, workcenterCode, workcenterRow } from './workcenters.ts';

export const dailyColumns: readonly Column[] = columnsOf(
  [
    'Downtime_DB',
    'Multiple',
    'Number_Of_Children',
    'Operation_Code',
    'Part_Key',
    'Part_No',
    'Planned_Production_Time',
    'Production_Qty',
    'Reject_Qty',
    'Scrap_Qty',
    'Standard_Production_Rate',
    'Throwouts',
    'Workcenter_Code',
    'Workcenter_Key',
  ],
  {
    Downtime_DB: 'decimal',
    Multiple: 'int32',
    Number_Of_Children: 'int32',
    Part_Key: 'int32',
    Planned_Production_Time: 'decimal',
    Production_Qty: 'decimal',
    Reject_Qty: 'decimal',
    Scrap_Qty: 'decimal',
    Standard_Production_Rate: 'decimal',
    Throwouts: 'decimal',
    Workcenter_Key: 'int32',
  },
);

export const simpleColumns: readonly Column[] = columnsOf(
  [
    'Part_No_Revision',
    'Performance',
    'Performance_Color',
    'Workcenter_Code',
    'Workcenter_Status',
    'Workcenter_Status_Color',
  ],
  { Performance: 'decimal' },
);

/** One part on one workcenter on one day. Times are minutes, the rate is pieces per hour. */
interface Run {
  readonly workcenter: number;
  readonly step: PartOperation;
  readonly planned: number;
  readonly downtime: number;
  readonly produced: number;
  readonly rejected: number;
  readonly scrapped: number;
  readonly rate: number;
  readonly throwouts: number | null;
  readonly multiple: number | null;
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

/** The runs of a workcenter on a day; `share` is the part of the day that is asked for. */
function* runsOf(plant: Plant, workcenter: number, day: number, share: number): Generator<Run> {
  const index = day * 1_000 + workcenter;
  const runs = 1 + plant.whole(2, 'runs', index);
  // A day without a plan, now and then: whatever is divided by it must cope.
  const idle = plant.whole(20, 'idle day', index) === 0;
  for (let run = 0; run < runs; run += 1) {
    const draws = plant.draws(`run ${run}`, index);
    const step = someOperation(plant, `run part ${run}`, index);
    const rate = standardRate(plant, step);
    const planned = idle ? 0 : draws.pick([240, 360, 480]) * share;
    const downtime = planned * draws.next() * 0.3;
    const produced = (rate * (planned - downtime) * (0.7 + draws.next() * 0.4)) / 60;
    yield {
      workcenter,
      step,
      planned: rounded(planned),
      downtime: rounded(downtime),
      produced: rounded(produced),
      rejected: rounded(produced * draws.next() * 0.03),
      scrapped: rounded(produced * draws.next() * 0.03),
      rate,
      throwouts: draws.optional(draws.whole(5)),
      multiple: draws.optional(1),
    };
  }
}

/** Runs of the days that a window touches, from its begin to before its end; the future has none. */
function* runs(records: Records, window: Window): Generator<Run> {
  const { plant } = records;
  const visible = records.visible(window);
  if (!visible) return;
  const [begin, end] = [msOf(visible.begin), msOf(visible.end)];
  for (let day = Math.floor(begin / DAY); day <= Math.floor(end / DAY); day += 1) {
    const share = (Math.min(end, (day + 1) * DAY) - Math.max(begin, day * DAY)) / DAY;
    if (share <= 0) continue;
    for (let workcenter = 0; workcenter < plant.sizes.workcenters; workcenter += 1) {
      if (isSetUp(plant, workcenter)) yield* runsOf(plant, workcenter, day, share);
    }
  }
}

/** Whether a run passes the inputs that name parts and workcenters. */
function passes(plant: Plant, run: Run, inputs: Inputs): boolean {
  const code = inputs.Workcenter_Code ?? undefined;
  if (code !== undefined && code !== workcenterCode(run.workcenter)) return false;
  const keys = typeof inputs.Workcenter_Keys === 'string' ? inputs.Workcenter_Keys.split(',').map(Number) : undefined;
  if (keys && !keys.includes(workcenterKey(run.workcenter))) return false;
  const { workcenterGroup, workcenterType } = workcenterRow(plant, run.workcenter);
  const filters = [
    [inputs.Workcenter_Group, workcenterGroup],
    [inputs.Workcenter_Type, workcenterType],
    [inputs.Part_Key, partKey(run.step.part)],
  ] as const;
  return filters.every(([wanted, value]) => wanted === undefined || wanted === null || wanted === value);
}

/** 18765: no column says when; the window that was asked for is the only time. */
export function* dailyTable(records: Records, inputs: Inputs): Generator<readonly unknown[]> {
  const { plant } = records;
  const window = { begin: String(inputs.Start_Date), end: String(inputs.End_Date) };
  for (const run of runs(records, window)) {
    if (!passes(plant, run, inputs)) continue;
    yield [
      run.downtime,
      run.multiple,
      0,
      run.step.code,
      partKey(run.step.part),
      partName(plant, run.step.part).number,
      run.planned,
      run.produced,
      run.rejected,
      run.scrapped,
      run.rate,
      run.throwouts,
      workcenterCode(run.workcenter),
      workcenterKey(run.workcenter),
    ];
  }
}

/** 22870: the present of one workcenter. */
export function simpleTable({ plant }: Records, inputs: Inputs): readonly (readonly unknown[])[] | undefined {
  const workcenter = workcenterOf(Number(inputs.Workcenter_Key), plant.sizes.workcenters);
  if (workcenter === undefined || !isSetUp(plant, workcenter)) return undefined;
  const hour = Math.floor(plant.now / (DAY / 24));
  const draws = plant.draws('simple performance', hour * 1_000 + workcenter);
  const step = someOperation(plant, 'simple part', hour * 1_000 + workcenter);
  const performance = draws.amount(40, 115);
  const { description, flag } = statusOf(draws.whole(10_000));
  return [
    [
      partName(plant, step.part).numberRevision,
      performance,
      performance < 70 ? 'Red' : performance < 90 ? 'Yellow' : 'Green',
      workcenterCode(workcenter),
      description,
      flag === 'productionStatus' ? 'Green' : 'Gray',
    ],
  ];
}

/** A quotient, or null where there is nothing to divide by. */
function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

function oeeRow(workcenter: number, day: number, own: readonly Run[]): Row {
  const sum = (value: (run: Run) => number): number => own.reduce((total, run) => total + value(run), 0);
  const planned = sum((run) => run.planned);
  const produced = sum((run) => run.produced);
  const availability = ratio(planned - sum((run) => run.downtime), planned);
  const performance = ratio(
    produced,
    sum((run) => (run.rate * (run.planned - run.downtime)) / 60),
  );
  const quality = ratio(produced - sum((run) => run.rejected + run.scrapped), produced);
  const whole = availability !== null && performance !== null && quality !== null;
  return {
    workcenterCode: workcenterCode(workcenter),
    windowStart: secondsText(day * DAY),
    windowEnd: secondsText((day + 1) * DAY),
    availability,
    performance,
    quality,
    oee: whole ? availability * performance * quality : null,
  };
}

/** OEE of each workcenter and UTC day of a window: fractions, or null where there was no plan or no product. */
export function* oeeRows(records: Records, window: Window): Generator<Row> {
  const visible = records.visible(window);
  if (!visible) return;
  const { plant } = records;
  const last = Math.floor(msOf(visible.end) / DAY);
  for (let day = Math.floor(msOf(visible.begin) / DAY); day <= last; day += 1) {
    const share = Math.min(1, (plant.now - day * DAY) / DAY);
    for (let workcenter = 0; workcenter < plant.sizes.workcenters; workcenter += 1) {
      if (isSetUp(plant, workcenter) && share > 0) {
        yield oeeRow(workcenter, day, [...runsOf(plant, workcenter, day, share)]);
      }
    }
  }
}
