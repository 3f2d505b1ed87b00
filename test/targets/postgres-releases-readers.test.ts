/** Readers during switches: never an error, never an empty table, never two releases in one answer. */
import { expect, test } from 'vitest';
import { desk, LIVE, withReleases } from './postgres-releases.ts';
import { whileReading } from './release-readers.ts';

const ROWS = 300;

test('20 readers see whole releases only while 12 switches happen', () =>
  withReleases(async ({ load, command, query, destination }) => {
    await load(desk(0, ROWS));
    await query(`CREATE SCHEMA reports; CREATE VIEW reports.tickets AS SELECT * FROM ${LIVE}.tickets`);
    const codes: number[] = [];
    const seen = await whileReading(destination.url, 20, ROWS, async () => {
      for (let version = 1; version <= 4; version += 1) {
        codes.push((await load(desk(version, ROWS))).code);
        codes.push((await command(['rollback'])).code);
        codes.push((await command(['promote'])).code);
      }
    });
    expect(codes).toEqual(Array.from({ length: 12 }, () => 0));
    expect(seen.complaints).toEqual([]);
    expect([...seen.versions].sort()).toEqual(['0', '1', '2', '3', '4']);
    expect(seen.snapshots).toBeGreaterThan(0);
  }));
