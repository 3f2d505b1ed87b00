/**
 * The tables of a ServiceDesk export as an import script leaves them in SQLite, and what their columns mean whatever they
 * are declared as. Whoever has such a file need not say so: its table and column names do.
 */
import type { ColumnType } from './classes.ts';
import type { ExpectedColumn, ExpectedSchema, ExpectedTable } from './expected.ts';

type Names = { readonly [type in Exclude<ColumnType, 'blob'>]?: string };

/** Reads one column name per line. */
function columns(names: Names): { readonly [column: string]: ExpectedColumn } {
  return Object.fromEntries(
    Object.entries(names).flatMap(([type, lines]) =>
      lines
        .trim()
        .split(/\s*\n\s*/)
        .map((name) => [name, { type: type as ColumnType }]),
    ),
  );
}

const TICKETS: ExpectedTable = {
  key: ['TKT-Ticket ID'],
  bookmarks: ['TKT-Modified Time'],
  required: ['TKT-Ticket ID', 'TKT-Created Time'],
  columns: columns({
    integer: `
      TKT-Ticket ID
      TKT-Parent ID
      TKT-Account Id
      TKT-Assigned To Userid
      TKT-Created By Userid
      TKT-Related CI Ref#
    `,
    timestamp: `
      TKT-Created Time
      TKT-Modified Time
      TKT-Actual Response Date
      TKT-Actual Resolution Date
      TKT-Closure Date
      TKT-SLA Closure Date
      Chg-Planned Start Date
      Chg-Planned End Date
      Chg-Actual Start Date
      Chg-Actual End Date
    `,
    yes_no: 'TKT-SLA Met',
    text: `
      TKT-Customer Reference
      TKT-Month Created
      TKT-SLA
      TKT-Account Name
      TKT-Site Classification
      TKT-Site Status
      TKT-Billing Key
      TKT-Title
      TKT-Description
      TKT-Severity
      TKT-Status
      TKT-Assigned To User
      TKT-Job#/Ref#
      TKT-Team
      TKT-Category
      TKT-Resolution/Change Type
      TKT-Root Cause Category
      TKT-Created By User
      TKT-Client Name
      TKT-Ticket Source
      TKT-Related CI
      TKT-Response Met
      TKT-Resolution Met
      TKT-SLA Exempt
      TKT-Mitigated Reason
      TKT-SLA Clock Status
      TKT-SLA Breach Reason
      TKT-SLA Breach Comment
      TKT-QA Review Completed
      TKT-Month Closed
      TKT-Solution
      TKT-SLA Month Closed
      TKT-SLA Closed - This Month
      TKT-SLA Closed - Last Month
      TKT-Actual SLA Achievement
      Chg-Risk
      Chg-Trigger
      Chg-Type
      Chg-Approver
      Chg-Success
      TKT-Is Template
      TKT-Platform
      TKT-Group
    `,
  }),
};

const COMMENTS: ExpectedTable = {
  key: ['comment_id'],
  bookmarks: ['created_time'],
  required: ['comment_id', 'ticket_id', 'created_time'],
  columns: columns({
    integer: `
      comment_id
      ticket_id
      user_id
    `,
    timestamp: 'created_time',
    text: `
      comment_text
      user_name
      owner_type
      visible_to_customer
      comment_type
      team
    `,
  }),
};

const TIMESHEETS: ExpectedTable = {
  bookmarks: ['TS-Date'],
  required: ['TS-Date', 'TS-Hours'],
  columns: columns({
    integer: `
      TS-Crm ID
      TS-Costcentre ID
    `,
    numeric: 'TS-Hours',
    timestamp: 'TS-Date',
    text: `
      TS-User Full Name
      TS-User Username
      TS-Title
      TS-Description
      TS-Time From
      TS-Time To
      TS-Type
      TS-Category
      TS-Sub Category
      TS-Category 2
      TS-Ticket Project Master Code
      TS-Costcentre Desc
      TS-Account Billing
      TS-Account Name
      TS-Account Bill State
      TS-Account Internal
      TS-Ticket Department
    `,
  }),
};

const COMMENT_QUALITY: ExpectedTable = {
  key: ['comment_id'],
  bookmarks: ['analysis_timestamp'],
  columns: columns({
    integer: `
      comment_id
      ticket_id
      professionalism_score
      clarity_score
      empathy_score
      actionability_score
    `,
    numeric: 'quality_score',
    timestamp: `
      created_time
      analysis_timestamp
    `,
    text: `
      user_name
      team
      comment_type
      cleaned_text
      quality_tier
      content_tags
      red_flags
      intent_summary
    `,
  }),
};

const CLOUD_TEAM_ROSTER: ExpectedTable = {
  key: ['username'],
  columns: columns({
    text: `
      Name
      Email
      username
    `,
  }),
};

const IMPORT_METADATA: ExpectedTable = {
  key: ['import_id'],
  bookmarks: ['import_id'],
  columns: columns({
    integer: `
      import_id
      records_imported
    `,
    timestamp: `
      import_timestamp
      date_range_start
      date_range_end
    `,
    text: `
      source_type
      file_name
      filter_applied
      notes
    `,
  }),
};

export const SERVICEDESK: ExpectedSchema = {
  tables: {
    tickets: TICKETS,
    comments: COMMENTS,
    timesheets: TIMESHEETS,
    comment_quality: COMMENT_QUALITY,
    cloud_team_roster: CLOUD_TEAM_ROSTER,
    import_metadata: IMPORT_METADATA,
  },
};

/**
 * Nothing names a timesheet: these columns together nearly do. An import gives rows new numbers, so a row number would
 * name another row each time.
 */
export const TIMESHEET_KEY: readonly string[] = ['TS-User Username', 'TS-Date', 'TS-Time From', 'TS-Crm ID'];

/** Columns that state the month of a date as `YYYY-MM`, by the column of that date. */
export const MONTH_OF: { readonly [column: string]: string } = {
  'TKT-Created Time': 'TKT-Month Created',
  'TKT-Closure Date': 'TKT-Month Closed',
  'TKT-SLA Closure Date': 'TKT-SLA Month Closed',
};
