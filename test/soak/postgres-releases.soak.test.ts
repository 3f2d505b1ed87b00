/** Kills at random moments of release after release, with readers that never stop. */
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { random } from '../pipe/killing.ts';
import { startRelease } from '../targets/postgres-release-process.ts';
import { desk, LIVE, withReleases } from '../targets/postgres-releases.ts';
import { whileReading } from '../targets/release-readers.ts';

const KILLS = Number(process.env.TAPWORKS_KILLS ?? 60);
const SEED = Number(process.env.TAPWORKS_SEED ?? Date.now() % 1_000_000);
const ROWS = 400;
/** A load takes about so long from its start to its end. */
const LONGEST_MS = 1_500;

test(
  `${KILLS} kills of releases under readers (seed ${SEED})`,
  () =>
    withReleases(async ({ load, query, destination, told }) => {
      const next = random(SEED);
      await load(desk(0, ROWS));
      await query(`CREATE SCHEMA reports; CREATE VIEW reports.tickets AS SELECT * FROM ${LIVE}.tickets`);
      let kills = 0;
      let confirmed = 0;
      const seen = await whileReading(destination.url, 8, ROWS, async () => {
        for (let version = 1; kills < KILLS; version += 1) {
          const { child, ended } = startRelease(destination.url);
          child.stdin.end(desk(version, ROWS));
          const over = await Promise.race([ended.then(() => true), wait(next() * LONGEST_MS, false)]);
          if (!over) child.kill('SIGKILL');
          const { code, stdout, stderr } = await ended;
          if (!over) kills += 1;
          // The server may notice only after a moment that the one before is dead.
          else if (!/another program works on the releases/.test(stderr)) expect(code, stderr).toBe(0);
          if (stdout.includes(`"version":${version}`)) confirmed = version;
          const [live] = await query<{ version: string }>(`SELECT max(version) AS version FROM ${LIVE}.tickets`);
          // A release may be live without its state having gone out, never the other way round.
          expect(Number(live?.version)).toBeGreaterThanOrEqual(confirmed);
        }
      });
      process.stdout.write(`kills of releases ${JSON.stringify({ kills, confirmed, answers: seen.answers })}\n`);
      expect(seen.complaints).toEqual([]);
      expect((await load(desk(9_999, ROWS))).code).toBe(0);
      const kept = (await told()).filter(({ status }) => status !== 'dropped');
      expect(kept.map(({ status }) => status)).toEqual(['live', 'superseded', 'superseded']);
      expect(await query(`SELECT 1 FROM pg_namespace WHERE nspname LIKE '${LIVE}%'`)).toHaveLength(kept.length);
    }),
  1_800_000,
);
