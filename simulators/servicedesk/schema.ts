/**
 * Tables and columns of the source database, in their order, with the types that the spreadsheet import declared. They
 * say little about the values: ids are stored as REAL and TEXT, most times as TEXT.
 */

/** What a column means, whatever it is declared as: decides its form in the logical hash. */
export type Kind = 'integer' | 'number' | 'timestamp' | 'text';

export interface Column {
  readonly name: string;
  readonly declared: string;
  readonly kind: Kind;
}

export interface Table {
  readonly name: TableName;
  readonly columns: readonly Column[];
}

export type BigTable = 'tickets' | 'comments' | 'timesheets';
export type TableName = BigTable | 'comment_quality' | 'cloud_team_roster' | 'import_metadata';

/** `base` is the original; `no_index` has no key or index at all; `keys` has primary keys; `drift2026` is what came later. */
export const VARIANTS = ['base', 'no_index', 'keys', 'drift2026'] as const;
export type Variant = (typeof VARIANTS)[number];

const KINDS: Readonly<Record<string, Kind>> = { i: 'integer', n: 'number', d: 'timestamp', t: 'text' };

/** Reads one column per line: name, declared type, kind; separated by `|`. */
function table(name: TableName, lines: string): Table {
  return {
    name,
    columns: lines
      .trim()
      .split('\n')
      .map((line) => {
        const [column = '', declared = '', kind = ''] = line.split('|').map((part) => part.trim());
        return { name: column, declared, kind: KINDS[kind] ?? 'text' };
      }),
  };
}

const TICKETS = table(
  'tickets',
  `
  TKT-Ticket ID | INTEGER | i
  TKT-Parent ID | REAL | i
  TKT-Customer Reference | TEXT | t
  TKT-Created Time | TIMESTAMP | d
  TKT-Month Created | TEXT | t
  TKT-SLA | TEXT | t
  TKT-Account Id | REAL | i
  TKT-Account Name | TEXT | t
  TKT-Site Classification | TEXT | t
  TKT-Site Status | TEXT | t
  TKT-Billing Key | TEXT | t
  TKT-Title | TEXT | t
  TKT-Description | TEXT | t
  TKT-Severity | TEXT | t
  TKT-Status | TEXT | t
  TKT-Assigned To Userid | INTEGER | i
  TKT-Assigned To User | TEXT | t
  TKT-Job#/Ref# | TEXT | t
  TKT-Team | TEXT | t
  TKT-Modified Time | TIMESTAMP | d
  TKT-Category | TEXT | t
  TKT-Resolution/Change Type | TEXT | t
  TKT-Root Cause Category | TEXT | t
  TKT-Created By Userid | INTEGER | i
  TKT-Created By User | TEXT | t
  TKT-Client Name | TEXT | t
  TKT-Ticket Source | TEXT | t
  TKT-Related CI Ref# | REAL | i
  TKT-Related CI | TEXT | t
  TKT-Actual Response Date | TEXT | d
  TKT-Actual Resolution Date | TEXT | d
  TKT-Response Met | TEXT | t
  TKT-Resolution Met | TEXT | t
  TKT-SLA Met | TEXT | t
  TKT-SLA Exempt | TEXT | t
  TKT-Mitigated Reason | TEXT | t
  TKT-SLA Clock Status | TEXT | t
  TKT-SLA Breach Reason | TEXT | t
  TKT-SLA Breach Comment | TEXT | t
  TKT-QA Review Completed | TEXT | t
  TKT-Closure Date | TEXT | d
  TKT-Month Closed | TEXT | t
  TKT-Solution | TEXT | t
  TKT-SLA Closure Date | TIMESTAMP | d
  TKT-SLA Month Closed | TEXT | t
  TKT-SLA Closed - This Month | TEXT | t
  TKT-SLA Closed - Last Month | TEXT | t
  TKT-Actual SLA Achievement | TEXT | t
  Chg-Risk | TEXT | t
  Chg-Trigger | TEXT | t
  Chg-Type | TEXT | t
  Chg-Planned Start Date | TEXT | d
  Chg-Planned End Date | TEXT | d
  Chg-Actual Start Date | TEXT | d
  Chg-Actual End Date | TEXT | d
  Chg-Approver | TEXT | t
  Chg-Success | TEXT | t
  TKT-Is Template | TEXT | t
  TKT-Platform | TEXT | t
  TKT-Group | TEXT | t
  `,
);

const COMMENTS = table(
  'comments',
  `
  comment_id | TEXT | i
  ticket_id | TEXT | i
  comment_text | TEXT | t
  user_id | TEXT | i
  user_name | TEXT | t
  owner_type | TEXT | t
  created_time | TIMESTAMP | d
  visible_to_customer | TEXT | t
  comment_type | TEXT | t
  team | TEXT | t
  `,
);

const TIMESHEETS = table(
  'timesheets',
  `
  TS-User Full Name | TEXT | t
  TS-User Username | TEXT | t
  TS-Title | TEXT | t
  TS-Description | TEXT | t
  TS-Date | TIMESTAMP | d
  TS-Time From | TEXT | t
  TS-Time To | TEXT | t
  TS-Type | TEXT | t
  TS-Category | TEXT | t
  TS-Sub Category | REAL | t
  TS-Category 2 | TEXT | t
  TS-Hours | REAL | n
  TS-Crm ID | INTEGER | i
  TS-Ticket Project Master Code | TEXT | t
  TS-Costcentre ID | INTEGER | i
  TS-Costcentre Desc | TEXT | t
  TS-Account Billing | TEXT | t
  TS-Account Name | TEXT | t
  TS-Account Bill State | TEXT | t
  TS-Account Internal | TEXT | t
  TS-Ticket Department | TEXT | t
  `,
);

const COMMENT_QUALITY = table(
  'comment_quality',
  `
  comment_id | TEXT PRIMARY KEY | i
  ticket_id | TEXT | i
  user_name | TEXT | t
  team | TEXT | t
  comment_type | TEXT | t
  created_time | TIMESTAMP | d
  cleaned_text | TEXT | t
  professionalism_score | INTEGER | i
  clarity_score | INTEGER | i
  empathy_score | INTEGER | i
  actionability_score | INTEGER | i
  quality_score | REAL | n
  quality_tier | TEXT | t
  content_tags | TEXT | t
  red_flags | TEXT | t
  intent_summary | TEXT | t
  analysis_timestamp | TIMESTAMP | d
  `,
);

const ROSTER = table(
  'cloud_team_roster',
  `
  Name | TEXT | t
  Email | TEXT | t
  username | TEXT | t
  `,
);

const IMPORT_METADATA = table(
  'import_metadata',
  `
  import_id | INTEGER PRIMARY KEY | i
  source_type | TEXT | t
  import_timestamp | TIMESTAMP | d
  file_name | TEXT | t
  records_imported | INTEGER | i
  date_range_start | TIMESTAMP | d
  date_range_end | TIMESTAMP | d
  filter_applied | TEXT | t
  notes | TEXT | t
  `,
);

export const BIG_TABLES: readonly BigTable[] = ['tickets', 'comments', 'timesheets'];

const PRIMARY_KEYS: Readonly<Partial<Record<TableName, string>>> = { tickets: 'TKT-Ticket ID', comments: 'comment_id' };

function declaredIn(variant: Variant, { name: tableName }: Table, { name, declared }: Column): string {
  if (variant === 'no_index') return declared.replace(' PRIMARY KEY', '');
  if (variant === 'keys' && PRIMARY_KEYS[tableName] === name) return `${declared} PRIMARY KEY`;
  if (variant === 'drift2026' && name === 'TS-Sub Category') return 'TEXT';
  return declared;
}

/** The tables of one form of the database. */
export function tablesOf(variant: Variant): Readonly<Record<TableName, Table>> {
  const shaped = (original: Table): Table => ({
    name: original.name,
    columns: original.columns.map((column) => ({ ...column, declared: declaredIn(variant, original, column) })),
  });
  return {
    tickets: shaped(TICKETS),
    comments: shaped(COMMENTS),
    timesheets: shaped(TIMESHEETS),
    comment_quality: shaped(COMMENT_QUALITY),
    cloud_team_roster: shaped(ROSTER),
    import_metadata: shaped(IMPORT_METADATA),
  };
}

/** A name in double quotes, as SQL wants the names of these columns everywhere. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function createStatement({ name, columns }: Table): string {
  return `CREATE TABLE ${quoted(name)} (${columns.map((column) => `${quoted(column.name)} ${column.declared}`).join(', ')})`;
}
