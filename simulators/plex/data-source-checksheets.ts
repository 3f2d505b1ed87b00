/** Data source 4142: checksheets, with the inputs and columns that its metadata tell. */
import {
  type Column,
  columnsOf,
  type DataType,
  type Input,
  type Inputs,
  optional,
  partKey,
  workcenterKey,
} from './data-source.ts';
import { jobAt } from './jobs.ts';
import { partName } from './parts.ts';
import type { Plant } from './plant.ts';
import { type Checksheet, checksheetsWithin } from './quality.ts';
import type { Records } from './records.ts';
import { workcenterCode } from './workcenters.ts';

/** Plex documents how many inputs and columns there are, not what they are called. */
const INPUTS: Readonly<Record<string, DataType>> = {
  Checksheet_No: 'int32',
  Checksheet_Status_Key: 'int32',
  Checksheet_Type_Key: 'int32',
  Container_Serial_No: 'string',
  Department_No: 'string',
  Heat_No: 'string',
  Inspection_Date_Begin: 'date',
  Inspection_Date_End: 'date',
  Inspection_Mode_Key: 'int32',
  Inspector_No: 'string',
  Job_No: 'string',
  Job_Op_Key: 'int32',
  Lot_No: 'string',
  Operation_Code: 'string',
  Out_Of_Spec: 'bool',
  Part_Group: 'string',
  Part_Key: 'int32',
  Part_No: 'string',
  Part_Type: 'string',
  Record_Limit: 'int32',
  Revision: 'string',
  Shift: 'string',
  Workcenter_Code: 'string',
  Workcenter_Key: 'int32',
};

export const checksheetInputs: readonly Input[] = Object.entries(INPUTS).map(([name, type]) => optional(name, type));

const COLUMNS = [
  'Checksheet_No',
  'Checksheet_Status_Key',
  'Checksheet_Status',
  'Inspection_Date',
  'Inspection_Mode',
  'Job_Op_Key',
  'Job_No',
  'Out_Of_Spec',
  'Part_Key',
  'Part_No',
  'Revision',
  'Part_Name',
  'Operation_Code',
  'Operation_No',
  'Workcenter_Key',
  'Workcenter_Code',
  'Inspector_No',
  'Shift',
  'Lot_No',
  'Heat_No',
  'Container_Serial_No',
  'Sample_Size',
  'Note',
  'Approved',
  'Approved_Date',
  'Checksheet_Type',
] as const;

export const checksheetColumns: readonly Column[] = columnsOf(COLUMNS, {
  Checksheet_No: 'int32',
  Checksheet_Status_Key: 'int32',
  Inspection_Date: 'date',
  Job_Op_Key: 'int32',
  Out_Of_Spec: 'bool',
  Part_Key: 'int32',
  Operation_No: 'int32',
  Workcenter_Key: 'int32',
  Sample_Size: 'int32',
  Approved: 'bool',
  Approved_Date: 'date',
});

/** A checksheet as a row of the data source, by column. */
export function checksheetRecord(plant: Plant, sheet: Checksheet): Readonly<Record<string, unknown>> {
  const draws = plant.draws('checksheet record', sheet.number);
  const part = partName(plant, sheet.step.part);
  const approved = draws.chance(0.7);
  return {
    Checksheet_No: sheet.number,
    Checksheet_Status_Key: 1 + draws.whole(3),
    Checksheet_Status: draws.optional('Complete'),
    Inspection_Date: sheet.at.text,
    Inspection_Mode: draws.optional('In Process'),
    Job_Op_Key: 700_000 + sheet.job,
    Job_No: jobAt(plant, sheet.job).number,
    Out_Of_Spec: sheet.outOfSpecification,
    Part_Key: partKey(sheet.step.part),
    Part_No: part.number,
    Revision: part.revision,
    Part_Name: part.name,
    Operation_Code: sheet.step.code,
    Operation_No: sheet.step.number,
    Workcenter_Key: workcenterKey(sheet.workcenter),
    Workcenter_Code: workcenterCode(sheet.workcenter),
    Inspector_No: draws.optional(`E${String(draws.whole(40) + 1).padStart(3, '0')}`),
    Shift: draws.optional(draws.pick(['A', 'B', 'C'])),
    Lot_No: draws.optional(`L26${String(draws.whole(500)).padStart(4, '0')}`),
    Heat_No: null,
    Container_Serial_No: null,
    Sample_Size: draws.optional(1 + draws.whole(5)),
    Note: draws.optional('Rechecked'),
    Approved: approved,
    Approved_Date: approved ? sheet.at.text : null,
    Checksheet_Type: draws.optional('Production'),
  };
}

/** Inputs that are no filter on the column of the same name. */
const BESIDE = ['Inspection_Date_Begin', 'Inspection_Date_End', 'Record_Limit'];

/** Checksheets by date; every other input filters by the column of its name, where there is one. */
export function* checksheetTable(records: Records, inputs: Inputs): Generator<readonly unknown[]> {
  const whole = records.wholeHistory;
  const window = records.visible({
    begin: String(inputs.Inspection_Date_Begin ?? whole.begin),
    end: String(inputs.Inspection_Date_End ?? whole.end),
  });
  if (!window) return;
  const filters = Object.entries(inputs).filter(([name, value]) => value !== null && !BESIDE.includes(name));
  let left = typeof inputs.Record_Limit === 'number' ? inputs.Record_Limit : Number.POSITIVE_INFINITY;
  for (const sheet of checksheetsWithin(records.plant, window)) {
    const record = checksheetRecord(records.plant, sheet);
    if (!filters.every(([name, value]) => !Object.hasOwn(record, name) || record[name] === value)) continue;
    if (left <= 0) return;
    left -= 1;
    yield COLUMNS.map((name) => record[name] ?? null);
  }
}
