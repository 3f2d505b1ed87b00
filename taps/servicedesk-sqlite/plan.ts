/** What is read of one table, and how: worked out once, before its first row. */
import type { ConversionRules } from '../../profiles/conversion.ts';
import { MONTH_OF } from '../../profiles/servicedesk.ts';
import { quoted } from '../../profiles/tables.ts';
import { ConnectorError } from '../../singer/errors.ts';
import type { Log } from '../../singer/log.ts';
import type { JsonSchema } from '../../singer/messages.ts';
import type { Selected } from '../../singer/stream.ts';
import { type ColumnSettings, rulesOf } from './columns.ts';
import { orderOf } from './cursor.ts';
import { isOrdered } from './discovery.ts';
import type { Source } from './source.ts';
import { type Origin, ROW_KEY, ROWID } from './tables.ts';

export interface PlanColumn {
  readonly name: string;
  readonly declared: string;
  readonly rules: ConversionRules;
  readonly key: boolean;
  /** Place among the columns of the one that states this date's month. */
  readonly month: number | undefined;
}

export interface Plan {
  readonly stream: string;
  readonly origin: Origin;
  readonly version: number;
  /** The selected columns, in the order of the table. */
  readonly columns: readonly PlanColumn[];
  /** SQL names of what orders the rows; empty for a view. */
  readonly order: readonly string[];
  readonly emitsRowid: boolean;
  /** SQL of `_sd_row_key`, when it is selected. */
  readonly rowKey: string | undefined;
  /** Rows may share a key, and the later one has to come later. */
  readonly isOrderKept: boolean;
  /** Place of the replication key among the columns; none for a stream that is read whole. */
  readonly bookmark: number | undefined;
}

/**
 * @throws ConnectorError `config` when the schema has types that cannot be read, or the replication key no order.
 */
export function planOf(
  source: Source,
  origin: Origin,
  { declaration, schema, key }: Selected,
  version: number,
  settings: ColumnSettings,
  log: Log,
): Plan {
  const { stream, table } = origin;
  const properties = schema.properties ?? {};
  const columns = table.columns.filter(({ name }) => Object.hasOwn(properties, name));
  warnOfDrift(origin, properties, log);
  const replicationKey = declaration.replication === 'INCREMENTAL' ? declaration.bookmarks?.[0] : undefined;
  const bookmark = columns.findIndex(({ name }) => name === replicationKey);
  if (replicationKey !== undefined && (bookmark < 0 || !isOrdered(properties[replicationKey]))) {
    throw new ConnectorError(
      'config',
      `"${replicationKey}" cannot be the replication key of "${stream}"`,
      { stream },
      { hint: 'choose a selected column whose schema says integer, number or date-time' },
    );
  }
  return {
    stream,
    origin,
    version,
    columns: columns.map(({ name, declared }) => ({
      name,
      declared,
      rules: rulesOf(stream, name, properties[name] ?? {}, settings),
      key: key.includes(name),
      month: placeOfMonth(columns, name),
    })),
    order: orderOf(table),
    emitsRowid: origin.hasRowid && Object.hasOwn(properties, ROWID),
    rowKey: origin.rowKey !== undefined && Object.hasOwn(properties, ROW_KEY) ? rowKeySql(source, origin) : undefined,
    isOrderKept: key.length > 0 && key[0] !== ROWID && !(origin.isKeySure && key.join() === origin.key.join()),
    bookmark: bookmark < 0 ? undefined : bookmark,
  };
}

function placeOfMonth(columns: readonly { readonly name: string }[], column: string): number | undefined {
  const stated = Object.hasOwn(MONTH_OF, column) ? MONTH_OF[column] : undefined;
  const place = columns.findIndex(({ name }) => name === stated);
  return place < 0 ? undefined : place;
}

/** A catalog may be older than the table. */
function warnOfDrift(
  { stream, table }: Origin,
  properties: { readonly [property: string]: JsonSchema },
  log: Log,
): void {
  const names = new Set([...table.columns.map(({ name }) => name), ROWID, ROW_KEY]);
  const gone = Object.keys(properties).filter((name) => !names.has(name));
  if (gone.length === 0) return;
  log.warn('columns_gone', `${stream} has no longer: ${gone.join(', ')}; run --discover again`, { stream });
}

/**
 * SQL of the columns of the key, one after the other, and the row's number among those with the same text. Whatever the text
 * ends with, the number is what follows the last #, so no two keys are equal.
 */
function rowKeySql({ db }: Source, { table, rowKey = [] }: Origin): string {
  const from = quoted(table.name);
  const rowid = `${from}.${table.rowid}`;
  const text = `concat_ws('|', ${rowKey.map((column) => `${from}.${quoted(column)}`).join(', ')})`;
  const again = db.prepare(`SELECT EXISTS (SELECT 1 FROM ${from} GROUP BY ${text} HAVING count(*) > 1)`).pluck();
  if (again.get() === 0) return `${text} || '#1'`;
  const name = quoted(`${ROW_KEY} ${table.name}`);
  db.exec(`CREATE TEMP TABLE IF NOT EXISTS ${name} (place INTEGER PRIMARY KEY, number INTEGER)`);
  db.exec(`INSERT OR REPLACE INTO temp.${name} SELECT place, number FROM (
    SELECT ${rowid} AS place, row_number() OVER (PARTITION BY ${text} ORDER BY ${rowid}) AS number FROM ${from})
    WHERE number > 1`);
  return `${text} || '#' || coalesce((SELECT number FROM temp.${name} WHERE place = ${rowid}), 1)`;
}
