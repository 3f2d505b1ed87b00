/**
 * Commands of the documentation, run as pasted. A block of bash whose first line is `# runs` is executed in a temporary
 * folder where `npx` finds the executables, with a simulator of the small profile; `# runs, exit 2` states another
 * ending. The blocks of a page share their folder and run from top to bottom; a page that names `TARGET_POSTGRES_URL` has an
 * empty database under it.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../postgres/database.ts';
import { type Block, blocksOf, DOCUMENTS, ROOT, read } from './documents.ts';

const NAMES = Object.keys((JSON.parse(read('package.json')) as { bin: Readonly<Record<string, string>> }).bin);
const executable = (name: string) => join(ROOT, 'dist/bin', `${name}.js`);

/** What pages may ask for beside the executables; a machine that lacks one skips the blocks that need it. */
const TOOLS = ['jq', 'curl', 'sqlite3', 'psql'];
const absent = TOOLS.filter((tool) => spawnSync('bash', ['-c', `command -v ${tool}`]).status !== 0);

function lacks({ text }: Block): readonly string[] {
  return absent.filter((tool) => new RegExp(`\\b${tool} `).test(text));
}

/** A folder as a reader has it after the first steps: settings, the simulator's line, a place for states. */
interface Workplace {
  readonly folder: string;
  readonly path: string;
  readonly simulator: ChildProcess;
}

async function workplace(): Promise<Workplace> {
  const folder = mkdtempSync(join(tmpdir(), 'tapworks-docs-'));
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  mkdirSync(join(folder, 'state'));
  // npm takes most of a second to start; what npx itself does is tried once, below.
  writeFileSync(
    join(bin, 'npx'),
    `#!/bin/sh\nname=$1\nshift\nexec "${process.execPath}" "${join(ROOT, 'dist/bin')}/$name.js" "$@"\n`,
  );
  chmodSync(join(bin, 'npx'), 0o755);
  const simulator = spawn(process.execPath, [executable('tapworks'), 'simulate', 'pmp'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  for await (const line of createInterface({ input: simulator.stdout })) {
    writeFileSync(join(folder, 'sim.json'), `${line}\n`);
    const { config } = JSON.parse(line) as { config: Record<string, unknown> };
    writeFileSync(join(folder, 'pmp.json'), JSON.stringify({ ...config, page_delay_ms: 0 }));
    break;
  }
  writeFileSync(join(folder, 'sqlite.json'), '{"database":"pmp.db"}');
  const path = [bin, dirname(process.execPath), process.env.PATH ?? ''].join(delimiter);
  return { folder, path, simulator };
}

/** How a block ended. */
interface Ending {
  readonly status: number | null;
  readonly output: string;
}

type Where = Pick<Workplace, 'folder' | 'path'> & {
  readonly env?: Readonly<Record<string, string>>;
  /** Gets the process group of the block: what it starts in the background is there for the blocks behind it. */
  readonly groups?: number[];
};

function run(text: string, { folder, path, env, groups }: Where): Promise<Ending> {
  return new Promise((resolve) => {
    const child = spawn('bash', ['-e', '-c', text], {
      cwd: folder,
      env: { ...process.env, PATH: path, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 30_000,
      detached: true,
    });
    if (child.pid !== undefined) groups?.push(child.pid);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
    child.on('close', (status) => resolve({ status, output }));
  });
}

function endGroup(group: number): void {
  try {
    process.kill(-group, 'SIGTERM');
  } catch {
    // Everybody has left it, as is usual.
  }
}

interface Page {
  readonly path: string;
  readonly blocks: readonly Block[];
}

const pages: readonly Page[] = DOCUMENTS.map((document) => ({
  path: document.path,
  blocks: blocksOf(document).filter(({ language, text }) => language === 'bash' && text.startsWith('# runs')),
})).filter(({ blocks }) => blocks.length > 0);

/** Runs the blocks of a page one after the other. */
async function runPage({ blocks }: Page): Promise<ReadonlyMap<Block, Ending>> {
  const place = await workplace();
  const database = blocks.some(({ text }) => text.includes('TARGET_POSTGRES_URL')) ? await openDatabase() : undefined;
  const env = database === undefined ? {} : { TARGET_POSTGRES_URL: database.url };
  const endings = new Map<Block, Ending>();
  const groups: number[] = [];
  try {
    for (const block of blocks) {
      if (lacks(block).length === 0) endings.set(block, await run(block.text, { ...place, env, groups }));
    }
    return endings;
  } finally {
    for (const group of groups) endGroup(group);
    await database?.close();
    place.simulator.kill();
    rmSync(place.folder, { recursive: true, force: true });
  }
}

describe('commands of', () => {
  let endings: ReadonlyMap<Block, Ending>;
  beforeAll(async () => {
    // Pages know nothing of each other, so they run side by side.
    const all = await Promise.all(pages.map(runPage));
    endings = new Map(all.flatMap((page) => [...page]));
    // Each block has a limit of its own.
  }, 240_000);
  for (const { path, blocks } of pages) {
    for (const block of blocks) {
      const needs = lacks(block);
      const title = `${path}:${block.line}${needs.length > 0 ? ` (no ${needs.join(', ')})` : ''}`;
      test.skipIf(needs.length > 0)(title, () => {
        const expected = Number(/^# runs, exit (\d+)/.exec(block.text)?.[1] ?? 0);
        const { status, output } = endings.get(block) ?? { status: null, output: 'did not run' };
        expect(status, `${block.text}\n${output}`).toBe(expected);
      });
    }
  }
});

describe('npx in the repository', () => {
  // npx remembers the executables that a package had when it first saw it, and does not find those that came later.
  const env = { npm_config_cache: join(ROOT, 'node_modules', '.cache', `npx-${NAMES.join('-')}`) };
  test.concurrent.each(NAMES)('finds %s', async (name) => {
    const text = `npx --no-install ${name} --version`;
    const { status, output } = await run(text, { folder: ROOT, path: process.env.PATH ?? '', env });
    expect(status, output).toBe(0);
    expect(output).toMatch(new RegExp(`^${name} v\\d`, 'm'));
  });
});
