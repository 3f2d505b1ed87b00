/** `npm start` as a newcomer runs it: both taps, one database, one snapshot, and a report that tells the truth. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { executable } from '../../dist/runner/pipe.js';
import { ROOT } from '../docs/documents.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** An empty folder where libraries resolve as in the package's own. */
function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tapworks-demo-'));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  folders.push(folder);
  return folder;
}

function runDemo(folder: string, env: Readonly<Record<string, string>> = {}) {
  return spawnSync(process.execPath, [executable('tapworks'), 'demo'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
}

describe('a demo over what an earlier one has left', () => {
  let folder: string;
  let ending: ReturnType<typeof runDemo>;
  let db: Database.Database;
  let snapshot: number;
  const pluck = (sql: string) => db.prepare(sql).pluck().all();

  beforeAll(() => {
    folder = emptyFolder();
    // What an earlier demo may have left: neither can be used.
    for (const place of ['demo', 'state']) mkdirSync(join(folder, place));
    writeFileSync(join(folder, 'demo', 'pmp.db'), 'no database');
    writeFileSync(join(folder, 'state', 'demo-dcapi.json'), '{"state_version":9}');
    ending = runDemo(folder);
    db = new Database(join(folder, 'demo', 'pmp.db'), { readonly: true });
    snapshot = JSON.parse(readFileSync(join(folder, 'demo', 'pmp.json'), 'utf8')).snapshot_id;
  });
  afterAll(() => db.close());

  test('ends with 0 and without the words that say otherwise', () => {
    expect(ending.status, ending.stderr).toBe(0);
    expect(ending.stderr.toLowerCase().replaceAll('errors_total', '')).not.toMatch(/error|exception/);
  });

  test('loads both taps as one snapshot, whenever each of them started', () => {
    expect(db.prepare('SELECT snapshot_id, tap, status FROM snapshots ORDER BY tap').all()).toEqual([
      { snapshot_id: snapshot, tap: 'tap-dcapi', status: 'complete' },
      { snapshot_id: snapshot, tap: 'tap-pmp', status: 'complete' },
    ]);
    for (const table of ['systems', 'patches', 'dcapi_systems', 'dcapi_patches', 'patch_system_mapping'])
      expect(pluck(`SELECT DISTINCT snapshot_id FROM ${table}`), table).toEqual([snapshot]);
  });

  test('keeps a state for each tap', () => {
    const bookmarks = ['pmp', 'dcapi'].map((name) => {
      const state = JSON.parse(readFileSync(join(folder, 'state', `demo-${name}.json`), 'utf8'));
      expect(state.snapshot).toMatchObject({ id: snapshot, status: 'complete' });
      return Object.keys(state.bookmarks);
    });
    expect(bookmarks[0]).toContain('systems');
    expect(bookmarks[0]).not.toContain('dcapi_systems');
    expect(bookmarks[1]).toContain('dcapi_systems');
    expect(bookmarks[1]).not.toContain('systems');
  });

  test('reports the rows of every table', () => {
    const told = [...ending.stdout.matchAll(/^ {2}(\w+) +(\d+) rows$/gm)].map(([, name, rows]) => [name, Number(rows)]);
    const tables = pluck("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'");
    expect(told.map(([name]) => name).sort()).toEqual([...tables].sort());
    expect(told).toEqual(told.map(([name]) => [name, pluck(`SELECT count(*) FROM "${name}"`)[0]]));
    expect(told).toContainEqual(['patch_system_mapping', 8293]);
  });

  test('reports coverage and gaps of both, and where the files are', () => {
    expect(ending.stdout).toContain('tap-pmp: 100 % (168 of 168 systems), open gaps 0');
    expect(ending.stdout).toContain('tap-dcapi: 100 % (166 of 166 systems), open gaps 0');
    for (const file of ['demo/pmp.db', 'state/demo-pmp.json', 'state/demo-dcapi.json']) {
      expect(ending.stdout).toContain(`  ${file}\n`);
      expect(existsSync(join(folder, file)), file).toBe(true);
    }
  });

  test('names three commands that work', async () => {
    const commands = ending.stdout.split('Try next\n')[1]?.trimEnd().split('\n') ?? [];
    expect(commands).toHaveLength(3);
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    const npx = join(bin, 'npx');
    writeFileSync(
      npx,
      `#!/bin/sh\nname=$1\nshift\n[ "$name" = node ] && exec "${process.execPath}" "$@"\nexec "${process.execPath}" "${dirname(executable('tapworks'))}/$name.js" "$@"\n`,
    );
    chmodSync(npx, 0o755);
    const shell = {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, PATH: [bin, process.env.PATH].join(delimiter) },
    } as const;
    const [status = '', question = '', simulate = ''] = commands;
    expect(JSON.parse(spawnSync('bash', ['-c', status], shell).stdout)).toMatchObject({
      snapshot_id: snapshot,
      status: 'complete',
      gaps: [],
    });
    expect(spawnSync('bash', ['-c', question], shell).stdout).toContain("'Critical'");
    const simulator = spawn('bash', ['-c', `exec ${simulate}`], { ...shell, stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const [line] = await once(createInterface({ input: simulator.stdout }), 'line');
      expect(JSON.parse(line)).toHaveProperty('config');
    } finally {
      simulator.kill();
    }
  });
});

describe('a demo that cannot do its work', () => {
  test.each([
    ['tap-pmp', 'TAP_PMP_MAX_ATTEMPTS'],
    ['tap-dcapi', 'TAP_DCAPI_MAX_ATTEMPTS'],
  ])('fails with %s, and says which pipe', (tap, setting) => {
    const { status, stdout, stderr } = runDemo(emptyFolder(), { [setting]: '0' });
    expect(status).toBe(1);
    expect(stdout).not.toContain('Loaded');
    expect(stderr).toContain(`the pipe ended with 1 (${tap})`);
  });

  test('fails when its files cannot be made', () => {
    const folder = emptyFolder();
    writeFileSync(join(folder, 'demo'), '');
    const { status, stderr } = runDemo(folder);
    expect(status).toBe(1);
    expect(stderr).toContain('cannot write to demo/ or state/');
  });
});
