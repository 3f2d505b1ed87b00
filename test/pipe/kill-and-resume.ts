/** The kill-and-resume proof, as small or as long as asked for. */
import { expect } from 'vitest';
import { type Aim, random, runAndKill, type Struck } from './killing.ts';
import type { Workshop } from './workshop.ts';

export interface KillReport {
  readonly seed: number;
  readonly kills: number;
  readonly rounds: number;
  readonly struck: Readonly<Record<Struck, number>>;
}

const AIMS: readonly Aim[] = ['inside a page', 'inside a transaction', 'between commit and state', 'any', 'any'];

/**
 * Kills and restarts until there were `kills` kills and each aimed class was struck at least once; each time the pipe
 * completes, its tables must equal those of an undisturbed run, and a new round starts from nothing.
 */
export async function killAndResume(shop: Workshop, kills: number, seed: number): Promise<KillReport> {
  const next = random(seed);
  const undisturbed = await shop.run();
  expect(undisturbed.exitCode, undisturbed.lines.join('\n')).toBe(0);
  const expected = shop.tables();
  await shop.fresh();

  const struck: Record<Struck, number> = {
    'inside a page': 0,
    'inside a transaction': 0,
    'between commit and state': 0,
    elsewhere: 0,
  };
  const missing = () =>
    (Object.keys(struck) as Struck[]).filter(
      (kind): kind is Exclude<Struck, 'elsewhere'> => kind !== 'elsewhere' && struck[kind] === 0,
    );
  let done = 0;
  let rounds = 0;
  for (let attempt = 0; done < kills || missing().length > 0; attempt += 1) {
    if (attempt > kills * 4 + 100) throw new Error(`the moments aimed at were not struck: ${JSON.stringify(struck)}`);
    const aim = done < kills ? (AIMS[done % AIMS.length] ?? 'any') : (missing()[0] ?? 'any');
    const kill = await runAndKill(shop, aim, next);
    if (kill === undefined) {
      rounds += 1;
      await compare(shop, expected);
      await shop.fresh();
      continue;
    }
    done += 1;
    struck[kill.struck] += 1;
  }
  const last = await shop.run();
  expect(last.exitCode, last.lines.join('\n')).toBe(0);
  await compare(shop, expected);
  return { seed, kills: done, rounds: rounds + 1, struck };
}

async function compare(shop: Workshop, expected: Readonly<Record<string, readonly string[]>>): Promise<void> {
  expect((await shop.savedState()).snapshot.status).toBe('complete');
  const found = shop.tables();
  expect(Object.keys(found)).toEqual(Object.keys(expected));
  for (const [table, rows] of Object.entries(expected)) {
    const have = found[table] ?? [];
    const [known, present] = [new Set(rows), new Set(have)];
    const lost = rows.filter((row) => !present.has(row));
    const extra = have.filter((row) => !known.has(row));
    expect({ table, rows: have.length, lost: lost.slice(0, 2), extra: extra.slice(0, 2) }).toEqual({
      table,
      rows: rows.length,
      lost: [],
      extra: [],
    });
  }
  expect(shop.query(`SELECT DISTINCT extracted_at FROM ${shop.measured}`)).toHaveLength(1);
  expect(shop.query('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
}
