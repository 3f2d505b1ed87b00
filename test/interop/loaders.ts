/** Loaders for PostgreSQL as programs: ours, and public ones in virtual environments of Python. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** A program that reads Singer messages on stdin. */
export interface Loader {
  readonly name: LoaderName;
  readonly command: readonly string[];
  /** Its settings for a database; everything else is left as its authors chose it. */
  readonly settings: (url: URL) => Readonly<Record<string, unknown>>;
}

export type LoaderName = 'tapworks' | 'meltanolabs' | 'pipelinewise';

/** How a load ended. */
export interface Ending {
  readonly status: number | null;
  /** Lines on stdout. */
  readonly states: readonly string[];
  readonly log: string;
}

/** A Python that the loaders of others run on. */
const PYTHON = process.env.TAPWORKS_INTEROP_PYTHON ?? 'python3';
const OLDEST = [3, 10] as const;

/** @throws Error that says what to install when there is no Python that is new enough. */
function checkPython(): void {
  const { status, stdout } = spawnSync(PYTHON, ['-c', 'import sys; print(*sys.version_info[:2])'], {
    encoding: 'utf8',
  });
  const [major = 0, minor = 0] = status === 0 ? stdout.trim().split(' ').map(Number) : [];
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw new Error(
    `${PYTHON}: Python ${OLDEST.join('.')} or newer with venv is needed (Debian packages python3 and python3-venv; TAPWORKS_INTEROP_PYTHON names another one)`,
  );
}

/** Installs a public loader at the pinned versions into a folder. @returns its executable. */
function install(name: LoaderName, folder: string): string {
  const place = join(folder, name);
  const run = (program: string, ...args: readonly string[]) =>
    execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  run(PYTHON, '-m', 'venv', place);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', '--no-deps'];
  run(join(place, 'bin/python'), ...pip, '--requirement', join(HERE, `${name}.txt`));
  return join(place, 'bin/target-postgres');
}

const address = ({ hostname, port, username, password }: URL) => ({
  host: hostname,
  port: Number(port),
  user: username,
  password,
});

/** All loaders, the public ones freshly installed below `folder`. */
export function openLoaders(folder: string): readonly Loader[] {
  checkPython();
  return [
    {
      name: 'tapworks',
      command: [process.execPath, join(HERE, '../../bin/target-postgres.ts')],
      settings: (url) => ({ url: url.href }),
    },
    {
      name: 'meltanolabs',
      command: [install('meltanolabs', folder)],
      settings: (url) => ({ ...address(url), database: url.pathname.slice(1), default_target_schema: 'public' }),
    },
    {
      name: 'pipelinewise',
      command: [install('pipelinewise', folder)],
      settings: (url) => ({ ...address(url), dbname: url.pathname.slice(1), default_target_schema: 'public' }),
    },
  ];
}

/** Feeds messages to a loader and waits for its end. */
export function feed(loader: Loader, url: string, messages: string, folder: string): Promise<Ending> {
  const file = join(folder, `${loader.name}.json`);
  writeFileSync(file, JSON.stringify(loader.settings(new URL(url))), { mode: 0o600 });
  const [program = '', ...args] = loader.command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args, '--config', file], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, TZ: 'UTC', LC_ALL: 'C.UTF-8' },
    });
    let [output, log] = ['', ''];
    child.stdout.on('data', (chunk) => {
      output += String(chunk);
    });
    child.stderr.on('data', (chunk) => {
      log += String(chunk);
    });
    child.on('error', reject);
    child.on('close', (status) => {
      resolve({ status, states: output.split('\n').filter((line) => line !== ''), log });
    });
    // A loader that ends before it has read everything closes its end of the pipe.
    child.stdin.on('error', () => {});
    child.stdin.end(messages);
  });
}
