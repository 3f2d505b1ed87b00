/** tap-dcapi against its simulator, and against a server that answers as a test says. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ManageEngineOptions } from '../../simulators/manageengine/server.ts';
import type { Json } from '../../singer/lossless.ts';
import type { Closing, Tap } from '../../singer/stream.ts';
import { tap as dcapi } from '../../taps/dcapi/tap.ts';
import { type Output, runOnce } from '../contract/tap/outside.ts';
import { closeLater, type Reply, serve } from '../http/replies.ts';
import { VirtualClock } from '../http/virtual-clock.ts';
import { Extraction } from './extraction.ts';

export const REPORT = '/dcapi/threats/systemreport/patches';

const TAP = dcapi as unknown as Tap<Closing>;

type Settings = Readonly<Record<string, Json>>;

export function startDcapi(
  options: Omit<ManageEngineOptions, 'now'> = {},
  settings: Settings = {},
  clock: VirtualClock = new VirtualClock(),
): Promise<Extraction> {
  return Extraction.start(options, settings, clock, TAP);
}

const UNKNOWN: Reply = {
  body: JSON.stringify({ status: 'error', error_code: '10022', error_description: 'not supported' }),
};

export interface Answered {
  readonly output: Output;
  /** Pages of the report that were asked for. */
  readonly pages: readonly number[];
}

/** One run over `systemreport/patches` alone, on premises; `answer` gives the body of each page, `others` those of other paths. */
export async function readReport(
  answer: (page: number, query: URLSearchParams) => string,
  settings: Settings = {},
  others: Readonly<Record<string, string>> = {},
): Promise<Answered> {
  const pages: number[] = [];
  const { url } = await serve((_number, request) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://127.0.0.1');
    const other = others[pathname];
    if (other !== undefined) return { body: other };
    if (pathname !== REPORT) return UNKNOWN;
    const page = Number(searchParams.get('page'));
    pages.push(page);
    return { body: answer(page, searchParams) };
  });
  const folder = await mkdtemp(join(tmpdir(), 'tapworks-dcapi-'));
  closeLater(() => rm(folder, { recursive: true, force: true }));
  const config = join(folder, 'config.json');
  const all = {
    base_url: url,
    api_token: 'a-key-for-this-test',
    snapshot_id: 7,
    streams: ['dcapi_systems', 'patch_system_mapping'],
    ...settings,
  };
  await writeFile(config, JSON.stringify(all));
  return { output: await runOnce(TAP, ['--config', config]), pages };
}

/** A recorded answer with invented values. */
export function fixture(name: string): Promise<string> {
  return readFile(new URL(`../fixtures/manageengine/${name}.json`, import.meta.url), 'utf8');
}
