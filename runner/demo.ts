/** `tapworks demo`: the main job on a simulated tenant, with the same executables and pipes that a user has. */
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startManageEngine } from '../simulators/manageengine/server.ts';
import { ConnectorError, EXIT, textOf } from '../singer/errors.ts';
import type { Io } from '../singer/io.ts';
import type { Log } from '../singer/log.ts';
import { print } from '../singer/session.ts';
import { type DemoFiles, type DemoTap, demoReport } from './demo-report.ts';
import { runPipe } from './pipe.ts';

const FOLDER = 'demo';
const FILES: DemoFiles = {
  database: join(FOLDER, 'pmp.db'),
  tapConfig: join(FOLDER, 'pmp.json'),
  targetConfig: join(FOLDER, 'sqlite.json'),
};

/** In the order they are read. Both have the same settings file, and each a state of its own. */
const TAPS: readonly DemoTap[] = [
  { name: 'tap-pmp', state: join('state', 'demo-pmp.json'), bookPrefix: '' },
  { name: 'tap-dcapi', state: join('state', 'demo-dcapi.json'), bookPrefix: 'dcapi_' },
];

/** A quarter of the taps' default, so that a newcomer does not wait: this server is nobody else's. Milliseconds. */
const PAGE_DELAY = 60;

/** Loads the small profile from scratch through both taps, as one snapshot, and prints what was loaded. Returns the exit code. */
export async function demo(io: Io, log: Log): Promise<number> {
  await makeRoom();
  const simulator = await startManageEngine({ profile: 'small' });
  try {
    // Each tap would number its snapshot by its own start; one number says that their rows belong together.
    const snapshot = Math.floor(io.clock.now() / 1000);
    await writeConfig(FILES.tapConfig, { ...simulator.config, page_delay_ms: PAGE_DELAY, snapshot_id: snapshot });
    await writeConfig(FILES.targetConfig, { database: FILES.database });
    log.info('demo', `simulated tenant at ${simulator.url}, snapshot ${snapshot}`);
    for (const tap of TAPS) await load(tap, io, log);
    await print(io, demoReport(FILES, TAPS));
    return EXIT.complete;
  } finally {
    await simulator.close();
  }
}

/** One pipe to its end. @throws ConnectorError when either side ended with anything but 0. */
async function load({ name, state }: DemoTap, io: Io, log: Log): Promise<void> {
  const { tapConfig, targetConfig } = FILES;
  log.info(
    'demo',
    `${name} --config ${tapConfig} --state ${state} | target-sqlite --config ${targetConfig} --state-file ${state}`,
  );
  const ending = await runPipe({
    tap: { name, args: ['--config', tapConfig] },
    target: { name: 'target-sqlite', args: ['--config', targetConfig] },
    state,
    stderr: 'inherit',
    signal: io.signal,
  });
  io.signal.throwIfAborted();
  if (ending.exitCode === EXIT.complete) return;
  const side = ({ code, signal }: typeof ending.tap) => signal ?? code;
  throw new ConnectorError(
    'upstream',
    `the pipe ended with ${side(ending.tap)} (${name}) and ${side(ending.target)} (target-sqlite)`,
    {},
    { hint: 'the lines above say why' },
  );
}

/** An empty folder for this demo; what an earlier one left is removed. */
async function makeRoom(): Promise<void> {
  const { database } = FILES;
  try {
    await mkdir(FOLDER, { recursive: true });
    for (const file of [database, `${database}-wal`, `${database}-shm`, ...TAPS.map(({ state }) => state)])
      await rm(file, { force: true });
  } catch (cause) {
    throw new ConnectorError(
      'destination',
      `cannot write to ${FOLDER}/ or state/: ${textOf(cause)}`,
      {},
      {
        cause,
        hint: 'another user may have run the demo here: remove both, or run it in a folder of your own',
      },
    );
  }
}

/** Settings hold a secret, even if only the simulator's. */
async function writeConfig(path: string, settings: Readonly<Record<string, unknown>>): Promise<void> {
  await writeFile(path, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 });
  await chmod(path, 0o600);
}
