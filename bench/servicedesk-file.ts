/**
 * ServiceDesk files to measure with, as `tapworks simulate servicedesk` writes them: of 260,000 rows 10,934 are tickets of
 * 60 columns, 108,075 comments and 140,991 timesheets of 21 columns. 149 MB, and 254 MB of messages. The three small
 * tables of such a file are left out on every side of a comparison.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Manifest } from '../simulators/servicedesk/manifest.ts';
import { type Command, executable, trial } from './trial.ts';

/** Rows of the tables together, before a profile adds duplicates. */
export const ROWS = 260_000;

export const TABLES = ['comments', 'tickets', 'timesheets'] as const;
export type TableName = (typeof TABLES)[number];

export interface DeskFile {
  readonly database: string;
  readonly manifest: Manifest;
}

/** Writes a file into `folder`; the same one each time. */
export async function writeDesk(folder: string, profile: 'perf' | 'dirty', rows = ROWS): Promise<DeskFile> {
  const name = `${profile}-${rows}`;
  const [database, truth] = [join(folder, `${name}.db`), join(folder, `${name}.json`)];
  const files = ['--out', database, '--manifest', truth];
  await trial(
    executable('tapworks', 'simulate', 'servicedesk', '--rows', String(rows), '--profile', profile, ...files),
  );
  return { database, manifest: JSON.parse(readFileSync(truth, 'utf8')) as Manifest };
}

/** Writes the settings of a tap that reads the three tables, all else by default; returns their file. */
export function tapConfig(database: string): string {
  const file = `${database}.tap.json`;
  writeFileSync(file, JSON.stringify({ database, streams: TABLES }));
  return file;
}

/** tap-servicedesk-sqlite over the three tables. */
export function tapOf(database: string): Command {
  return executable('tap-servicedesk-sqlite', '--config', tapConfig(database));
}
