/**
 * A program that writes to a file in WAL mode as fast as it can until its stdin ends: each transaction sets one row of
 * each of three tables to the same number. Prints the number of each commit, and once more at its end.
 */
import { writeSync } from 'node:fs';
import Sqlite from 'better-sqlite3';

const [, , path = ''] = process.argv;
const db = new Sqlite(path, { timeout: 60_000 });
// What the log has only must be seen as well.
db.pragma('wal_autocheckpoint = 200');
const updates = ['a', 'b', 'c'].map((table) => db.prepare(`UPDATE ${table} SET n = ? WHERE id = ?`));
let number = 0;
let ended = false;
process.stdin.resume().on('end', () => {
  ended = true;
});

function commit(): void {
  number += 1;
  // Another row each time: a reader that moved on between two tables would see different sums.
  db.transaction(() => {
    for (const update of updates) update.run(number, (number % 500) + 1);
  })();
  writeSync(1, `${number}\n`);
  if (ended) db.close();
  else setImmediate(commit);
}
commit();
