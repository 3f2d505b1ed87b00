/** The data sources that the simulator knows: their inputs, columns, limits and rows. */

import { type DataSource, type Input, optional, required } from './data-source.ts';
import { checksheetColumns, checksheetInputs, checksheetTable } from './data-source-checksheets.ts';
import {
  specificationColumns,
  specificationDetail,
  specificationPick,
  specificationPickColumns,
} from './data-source-specifications.ts';
import { dailyColumns, dailyTable, simpleColumns, simpleTable } from './performance.ts';

const DAILY_INPUTS: readonly Input[] = [
  optional('Area_Key', 'int32'),
  optional('Building_Key', 'int32'),
  optional('Children_Only', 'bool'),
  optional('Department_No', 'string'),
  required('End_Date', 'date'),
  optional('Master_Key', 'int32'),
  optional('Parents_Only', 'bool'),
  optional('Part_Key', 'int32'),
  optional('Part_Status', 'string'),
  optional('Shift', 'string'),
  required('Start_Date', 'date'),
  optional('Use_Standard_Rate', 'bool'),
  optional('Workcenter_Code', 'string'),
  optional('Workcenter_Group', 'string'),
  optional('Workcenter_Keys', 'string'),
  optional('Workcenter_Type', 'string'),
];

const SOURCES: readonly DataSource[] = [
  {
    id: 4142,
    name: 'Checksheets_Get',
    inputs: checksheetInputs,
    columns: checksheetColumns,
    rowLimit: 5_000,
    rows: checksheetTable,
  },
  {
    id: 5112,
    name: 'Specification_Picker_Get',
    inputs: ['Part_No', 'Revision', 'Operation_Code', 'Specification_No', 'Description'].map((name) =>
      optional(name, 'string'),
    ),
    columns: specificationPickColumns,
    rowLimit: 1_000,
    rows: specificationPick,
  },
  {
    id: 6429,
    name: 'Specification_Get',
    inputs: [required('Specification_Key', 'int32')],
    columns: specificationColumns,
    rowLimit: 1_000,
    rows: specificationDetail,
  },
  {
    id: 18765,
    name: 'Daily_Performance_Report_Get',
    inputs: DAILY_INPUTS,
    columns: dailyColumns,
    rowLimit: 10_000,
    rows: dailyTable,
  },
  {
    id: 22870,
    name: 'Workcenter_Performance_Simple_Get',
    inputs: [required('Workcenter_Key', 'int32')],
    columns: simpleColumns,
    rowLimit: 1_000,
    rows: simpleTable,
  },
];

export const DATA_SOURCES: ReadonlyMap<number, DataSource> = new Map(SOURCES.map((source) => [source.id, source]));
