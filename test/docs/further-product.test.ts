/** docs/connectors.md says that a further product of the vendor costs two files. Here they are, run as they stand there. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { blocksOf, DOCUMENTS, ROOT, read, SOURCES } from './documents.ts';

const page = DOCUMENTS.find(({ path }) => path === 'docs/connectors.md');
const [streams = '', tap = ''] = blocksOf(page ?? { path: '', text: '' })
  .filter(({ language }) => language === 'ts')
  .map(({ text }) => text);

let folder: string;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tapworks-product-'));
  write('taps/ec/streams.ts', streams);
  write('taps/ec/tap.ts', tap);
  write('bin/tap-ec.ts', read('bin/tap-dcapi.ts').replaceAll('dcapi', 'ec'));
  mkdirSync(join(folder, 'schemas/ec'), { recursive: true });
  cpSync(join(ROOT, 'schemas/pmp/som_computers.json'), join(folder, 'schemas/ec/ec_computers.json'));
  for (const path of ['singer', 'taps/manageengine', 'bin/start.ts', 'package.json', 'node_modules'])
    symlinkSync(join(ROOT, path), join(folder, path));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('its two files make a tap that reads', async () => {
  const simulator = spawn(process.execPath, [join(ROOT, 'bin/tapworks.ts'), 'simulate', 'pmp'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const [line] = await once(createInterface({ input: simulator.stdout }), 'line');
    write('ec.json', JSON.stringify({ ...JSON.parse(line).config, page_delay_ms: 0, snapshot_id: 7 }));
    const { status, stdout, stderr } = spawnSync(process.execPath, ['bin/tap-ec.ts', '--config', 'ec.json'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    const messages = stdout
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text));
    const records = (stream: string) => messages.filter(({ type, stream: of }) => type === 'RECORD' && of === stream);
    expect(records('ec_computers')).toHaveLength(170);
    expect(records('ec_extraction_checkpoints').at(-1).record).toMatchObject({ coverage_pct: 100, snapshot_id: 7 });
    expect(messages.at(-1)).toMatchObject({ type: 'STATE', value: { snapshot: { status: 'complete' } } });
  } finally {
    simulator.kill();
  }
});

test('what the products share imports none of them', () => {
  const shared = SOURCES.filter(({ path }) => path.startsWith('taps/manageengine/'));
  expect(shared.length).toBeGreaterThan(10);
  expect(shared.filter(({ text }) => /from '\.\.\/(pmp|dcapi)\//.test(text)).map(({ path }) => path)).toEqual([]);
});
