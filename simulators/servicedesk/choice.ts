/**
 * Which cells and rows a class of defects takes. No cell is taken twice, and a row that a class takes as a whole gets
 * nothing else, so every count is exact.
 */
import type { Database } from 'better-sqlite3';
import { shuffled } from '../draw.ts';
import type { CellDefect, Place, RowDefect } from './defect.ts';
import type { Clean, CleanRow } from './rows.ts';
import { type BigTable, quoted } from './schema.ts';

/** A clean file being damaged. */
export interface Ground {
  readonly db: Database;
  readonly seed: number;
  readonly rows: Readonly<Record<BigTable, number>>;
  /** The rowid of a clean row, counted from 0. */
  rowid(table: BigTable, index: number): number;
}

export interface ChosenCell {
  readonly place: Place;
  readonly rowid: number;
  readonly clean: Clean;
  readonly beside: Clean;
}

export interface ChosenRow {
  readonly table: BigTable;
  readonly rowid: number;
  readonly row: CleanRow;
}

export class Choice {
  readonly #ground: Ground;
  readonly #rows = new Set<string>();
  readonly #cells = new Set<string>();

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** Takes up to `count` rows, table by turn. */
  takeRows(defect: RowDefect, tables: readonly BigTable[], count: number): readonly ChosenRow[] {
    const sources = tables.map((table) => this.#freeRows(defect, table));
    return takeInTurn(sources, count, ({ table, rowid }) => this.#rows.add(`${table} ${rowid}`));
  }

  *#freeRows({ id, suits }: RowDefect, table: BigTable): Generator<ChosenRow, undefined, number> {
    const { db, seed, rows } = this.#ground;
    const select = db.prepare<[number], CleanRow>(`SELECT * FROM ${quoted(table)} WHERE rowid = ?`);
    for (let at = 0; at < rows[table]; at += 1) {
      const rowid = this.#ground.rowid(table, shuffled(seed, `${id} in ${table}`, at, rows[table]));
      if (this.#rows.has(`${table} ${rowid}`)) continue;
      const row = select.get(rowid);
      if (row !== undefined && (suits === undefined || suits(row))) yield { table, rowid, row };
    }
  }

  /** Takes up to `count` cells, place by turn. Call it after every `takeRows`. */
  takeCells(defect: CellDefect, count: number): readonly ChosenCell[] {
    const sources = defect.places.map((place) => this.#freeCells(defect, place));
    return takeInTurn(sources, count, ({ place, rowid }) => this.#cells.add(`${place.table} ${rowid} ${place.column}`));
  }

  *#freeCells({ id, strikes, suits }: CellDefect, place: Place): Generator<ChosenCell, undefined, number> {
    const { db, seed, rows } = this.#ground;
    const { table, column, beside } = place;
    const select = db
      .prepare<[number], readonly [Clean, Clean]>(
        `SELECT ${quoted(column)}, ${beside === undefined ? 'NULL' : quoted(beside)} FROM ${quoted(table)} WHERE rowid = ?`,
      )
      .raw();
    let nth = 0;
    for (let at = 0; at < rows[table]; at += 1) {
      const rowid = this.#ground.rowid(table, shuffled(seed, `${id} in ${table} ${column}`, at, rows[table]));
      if (this.#rows.has(`${table} ${rowid}`) || this.#cells.has(`${table} ${rowid} ${column}`)) continue;
      const [clean = null, other = null] = select.get(rowid) ?? [];
      const fits = strikes === 'empty' ? clean === null : clean !== null && (suits?.(clean, other, nth) ?? true);
      if (fits) nth = yield { place, rowid, clean, beside: other };
    }
  }
}

/** One of each source after the other until there are `count` or the sources are dry. Sources are told how many there are. */
function takeInTurn<T>(
  sources: readonly Generator<T, undefined, number>[],
  count: number,
  taken: (item: T) => void,
): readonly T[] {
  const items: T[] = [];
  let open = [...sources];
  while (open.length > 0 && items.length < count) {
    for (const source of [...open]) {
      if (items.length === count) break;
      const { value, done } = source.next(items.length);
      if (done === true || value === undefined) open = open.filter((other) => other !== source);
      else {
        items.push(value);
        taken(value);
      }
    }
  }
  return items;
}
