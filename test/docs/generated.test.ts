/**
 * Tables that are made from the declarations stand between `<!-- table: NAME -->` and `<!-- end -->`.
 * `TAPWORKS_UPDATE_DOCS=1 npx vitest run test/docs/generated.test.ts` writes them anew.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TAP_FLAGS, TARGET_FLAGS } from '../../singer/command-line.ts';
import { tap as dcapi } from '../../taps/dcapi/tap.ts';
import { tap as plex } from '../../taps/plex/tap.ts';
import { tap as pmp } from '../../taps/pmp/tap.ts';
import { tap as servicedesk } from '../../taps/servicedesk-sqlite/tap.ts';
import { target as postgres } from '../../targets/postgres/target.ts';
import { target as sqlite } from '../../targets/sqlite/target.ts';
import { otherTargetsTable } from '../interop/postgres-cases.ts';
import { DOCS, ROOT, read } from './documents.ts';
import { dataCentersTable, flagsTable, plexStreamsTable, settingsTable, streamsTable } from './tables.ts';

const MADE: Readonly<Record<string, () => string>> = {
  'settings of tap-pmp': () => settingsTable(pmp.name, pmp.settings),
  'settings of tap-dcapi': () => settingsTable(dcapi.name, dcapi.settings),
  'settings of tap-plex': () => settingsTable(plex.name, plex.settings),
  'settings of tap-servicedesk-sqlite': () => settingsTable(servicedesk.name, servicedesk.settings),
  'settings of target-sqlite': () => settingsTable(sqlite.name, sqlite.settings),
  'settings of target-postgres': () => settingsTable(postgres.name, postgres.settings),
  'flags of tap-pmp': () => flagsTable({ ...TAP_FLAGS, ...pmp.actions }),
  'flags of tap-dcapi': () => flagsTable({ ...TAP_FLAGS, ...dcapi.actions }),
  'flags of tap-plex': () => flagsTable({ ...TAP_FLAGS, ...plex.actions }),
  'flags of target-sqlite': () => flagsTable(TARGET_FLAGS),
  'flags of target-postgres': () => flagsTable(TARGET_FLAGS),
  'streams of tap-pmp': streamsTable,
  'streams of tap-plex': plexStreamsTable,
  'data centres': dataCentersTable,
  'other targets': otherTargetsTable,
};

const TABLE = /(<!-- table: (.+?) -->\n)([\s\S]*?)(<!-- end -->)/g;

describe('tables made from the declarations', () => {
  for (const document of DOCS) {
    const names = [...document.text.matchAll(TABLE)].map(([, , name = '']) => name);
    if (names.length === 0) continue;
    test(`${document.path} is up to date`, () => {
      const made = read(document.path).replace(TABLE, (_whole, start: string, name: string, _old, end: string) => {
        const make = MADE[name];
        if (make === undefined) throw new Error(`nobody makes the table "${name}"`);
        return `${start}\n${make()}\n\n${end}`;
      });
      if (process.env.TAPWORKS_UPDATE_DOCS === '1') writeFileSync(join(ROOT, document.path), made);
      expect(read(document.path)).toBe(made);
    });
  }

  test('each stands somewhere', () => {
    const found = DOCS.flatMap(({ text }) => [...text.matchAll(TABLE)].map(([, , name = '']) => name));
    expect(Object.keys(MADE).filter((name) => !found.includes(name))).toEqual([]);
  });
});
