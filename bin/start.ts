/**
 * The first thing every executable runs. It imports nothing before it knows that this Node is new enough: the SQLite
 * binding crashes an older one with a segmentation fault, which tells nobody anything.
 */
const OLDEST_NODE = [22, 19] as const;

/**
 * V8 settings for a small process, set before anything is loaded. On the full profile of the simulator (480 pages,
 * Node 26, 2 cores) they take tap-pmp from 138 to 96 MB of resident memory at the same speed: it waits for the network,
 * so optimised code (and the optimising compiler's own pages) buys it nothing. A target computes: any of them would cost it
 * a fifth of its time or more.
 */
const SMALL = [
  '--no-concurrent-sparkplug',
  '--optimize-for-size',
  '--semi-space-growth-factor=1',
  '--no-maglev',
  '--no-opt',
  '--no-incremental-marking',
];

/**
 * `waits`: for the network. `computes`: in JavaScript. `copies`: blocks that SQLite makes, with little JavaScript.
 * Code is never compiled for the first time in the background: a compiler that runs out of memory there waits for a
 * collection, and if the process is about to end, both wait for ever (Node 26, https://github.com/nodejs/node/issues/54918).
 */
const LEAN = { waits: SMALL, computes: ['--no-concurrent-sparkplug'], copies: SMALL } as const;

/** Where the young generation of a process that computes stops growing. */
const YOUNG_BYTES = 8 * 1024 * 1024;

/** By how much the heap may grow before what is dead in it is taken out, and how often one looks. */
const GROWTH_BYTES = { waits: 6_000_000, computes: 24_000_000, copies: 8_000_000 } as const;
const LOOK_MS = 20;

/** What an executable is made of, loaded only as far as the command needs. */
export interface Executable<Plugin> {
  readonly name: string;
  /** What it does most of its time. */
  readonly kind: keyof typeof LEAN;
  /** The declaration (settings, streams): light enough for `--about`. */
  plugin(): Promise<Plugin>;
  /** Everything that a real run needs. */
  run(plugin: Plugin, io: import('../singer/io.ts').Io): Promise<number>;
}

interface Describable {
  readonly description: string;
  readonly settings: import('../singer/config.ts').SettingsSchema;
  readonly capabilities: readonly string[];
}

/** Answers `--version` and `--about` at once, else runs; sets the exit code and lets the process end by itself. */
export async function start<Plugin extends Describable>(executable: Executable<Plugin>): Promise<void> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
    process.stderr.write(
      `${executable.name} needs Node ${OLDEST_NODE.join('.')} or newer and was started by ${process.versions.node}; install a newer Node, or use npx in a folder where tapworks is installed\n`,
    );
    process.exitCode = 1;
    return;
  }
  const argv = process.argv.slice(2);
  if (argv.includes('--version')) {
    const { version } = await import('../singer/version.ts');
    process.stdout.write(`${executable.name} v${version}\n`);
    return;
  }
  const about = argv.find((word) => word === '--about' || word.startsWith('--about='));
  if (about !== undefined) {
    const [{ aboutText }, { version }, plugin] = await Promise.all([
      import('../singer/about.ts'),
      import('../singer/version.ts'),
      executable.plugin(),
    ]);
    const asked =
      about.split('=')[1] ??
      argv.find((word) => word.startsWith('--format='))?.split('=')[1] ??
      argv[argv.indexOf('--format') + 1];
    const named = about.includes('=') || argv.some((word) => word === '--format' || word.startsWith('--format='));
    if (named && asked !== 'json' && asked !== 'markdown' && asked !== 'text') {
      process.stderr.write(`${executable.name}: --about has no format "${asked ?? ''}": json, markdown or text\n`);
      process.exitCode = 1;
      return;
    }
    const format = asked === 'json' || asked === 'markdown' ? asked : 'text';
    process.stdout.write(`${aboutText({ ...plugin, name: executable.name, version }, format)}\n`);
    return;
  }
  const { setFlagsFromString } = await import('node:v8');
  for (const flag of LEAN[executable.kind]) setFlagsFromString(flag);
  if (executable.kind === 'computes') await boundYoungGeneration();
  const collect = await boundOldGeneration(GROWTH_BYTES[executable.kind]);
  // Compiled code is kept between runs; Node falls back to compiling when it cannot write there.
  (await import('node:module')).enableCompileCache?.();
  const { processIo } = await import('../singer/io.ts');
  let io: import('../singer/io.ts').Io;
  try {
    io = processIo();
  } catch (error) {
    process.stderr.write(
      `${executable.name}: ${error instanceof Error ? ((error as { line?: string }).line ?? error.message) : String(error)}\n`,
    );
    process.exitCode = 1;
    return;
  }
  process.exitCode = await executable.run(await executable.plugin(), io);
  // An open stdin would keep a target alive whose work is done (or refused) while the tap still writes.
  process.stdin.destroy();
  // Left to itself Node takes the signal handlers down first and then itself: a signal that comes again in between, as
  // when a terminal and a pipe both pass one on, would kill a process that has ended well.
  process.once('beforeExit', () => {
    // The optimising compilers of a process that computes stay in the background: there is memory for what they still do.
    if (executable.kind === 'computes') collect({ type: 'major', execution: 'sync' });
    process.exit();
  });
}

type Collect = (how: { type: 'major' | 'minor'; execution: 'sync' }) => void;

/**
 * V8 takes out what is dead when it finds it worth while, beside the program; until that is done the program goes on
 * and the heap with it, on an idle machine more than on a busy one. Told to do it at once whenever 6 MB have come up,
 * tap-dcapi peaks at 91 to 93 MB of resident memory instead of 97 to 110 on 165,850 patches, in about the same processor
 * time (Node 26, 2 cores); target-postgres, told at 24 MB, peaks at 119 MB instead of 145 when it loads a release. There is no
 * other way to ask for it in a process that runs.
 */
async function boundOldGeneration(growth: number): Promise<Collect> {
  const [{ getHeapStatistics, setFlagsFromString }, { runInNewContext }] = await Promise.all([
    import('node:v8'),
    import('node:vm'),
  ]);
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as Collect;
  setFlagsFromString('--no-expose-gc');
  // Buffers lie beside the heap: of a page that is kept in a file there is nothing else.
  const used = () => {
    const { used_heap_size: inside, external_memory: beside } = getHeapStatistics();
    return { all: inside + beside, beside };
  };
  let floor = used();
  let tried = false;
  setInterval(() => {
    const now = used();
    if (now.all < floor.all) floor = now;
    if (now.all - floor.all < growth) {
      tried = false;
      return;
    }
    // Mostly buffers of a moment ago: the young generation lets go of them in a tenth of the time, and a little later.
    const isYoung = !tried && now.beside - floor.beside > growth / 2;
    collect({ type: isYoung ? 'minor' : 'major', execution: 'sync' });
    tried = isYoung;
    if (!isYoung) floor = used();
  }, LOOK_MS).unref();
  return collect;
}

/**
 * V8 doubles the young generation whenever enough has survived in it, so a long run ends with the largest, whatever it
 * needs. Bounded at 8 MiB, target-sqlite peaks at 112 MB of resident memory on 1,658,500 records, at 16 MiB at 134 MB; the
 * time is the same.
 * The bound can only be set at the start of a process; not to grow any more can be asked for at any time.
 */
async function boundYoungGeneration(): Promise<void> {
  const [{ PerformanceObserver }, { getHeapSpaceStatistics, setFlagsFromString }] = await Promise.all([
    import('node:perf_hooks'),
    import('node:v8'),
  ]);
  const observer = new PerformanceObserver(() => {
    const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
    if (young === undefined || young.space_size < YOUNG_BYTES) return;
    setFlagsFromString('--semi-space-growth-factor=1');
    observer.disconnect();
  });
  observer.observe({ entryTypes: ['gc'] });
}
