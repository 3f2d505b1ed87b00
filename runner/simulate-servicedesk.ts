/** `tapworks simulate servicedesk`: flags to a generated database and one line about it. */
import { secondsOf } from '../simulators/servicedesk/calendar.ts';
import { type GeneratorOptions, generate } from '../simulators/servicedesk/generate.ts';
import { type Amount, DEFECTS, ORIGINAL_ROWS, PROFILES } from '../simulators/servicedesk/profiles.ts';
import { VARIANTS } from '../simulators/servicedesk/schema.ts';
import { COMMON_FLAGS, type Flags } from '../singer/command-line.ts';
import { nearest } from '../singer/config.ts';
import { ConnectorError, EXIT } from '../singer/errors.ts';
import type { Io } from '../singer/io.ts';
import { print, type Session } from '../singer/session.ts';

/** With fewer rows there are too few tickets to damage a fifth of them. */
const FEWEST_ROWS = 200;
const DEFAULT_AS_OF = '2025-10-17';

export const SIMULATE_SERVICEDESK_FLAGS = {
  ...COMMON_FLAGS,
  out: { type: 'string', requiresArg: true, describe: 'The database file to write; it must not exist' },
  manifest: { type: 'string', requiresArg: true, describe: 'Where its truth goes (default: FILE.manifest.json)' },
  rows: {
    type: 'number',
    requiresArg: true,
    describe: `Tickets, comments and timesheets together (default ${ORIGINAL_ROWS})`,
  },
  profile: { type: 'string', requiresArg: true, describe: `What is wrong with it: ${PROFILES.join(', ')}` },
  seed: { type: 'number', requiresArg: true, describe: 'Number that decides every generated value (default 1)' },
  defect: {
    type: 'string',
    requiresArg: true,
    // A repeated flag is a list; each of its values may be one as well.
    coerce: (given: string | readonly string[]) => [given].flat().join(','),
    describe: 'Defects besides or instead of those of the profile: D01=50 or D25=0.5%; repeatable',
  },
  'as-of': { type: 'string', requiresArg: true, describe: `Day on which the file is taken (default ${DEFAULT_AS_OF})` },
  wal: { type: 'boolean', describe: 'Leave the file in WAL mode' },
  'leave-wal': { type: 'number', requiresArg: true, describe: 'Leave so many timesheets in the -wal file only' },
  'pad-free-mb': { type: 'number', requiresArg: true, describe: 'Add so many MiB of free pages' },
  'html-factor': { type: 'number', requiresArg: true, describe: 'Make texts so many times longer by tags (default 1)' },
  'page-size': { type: 'number', requiresArg: true, describe: 'Bytes of a page (default 4096)' },
  'schema-variant': { type: 'string', requiresArg: true, describe: `Form of the tables: ${VARIANTS.join(', ')}` },
} as const;

export const SIMULATE_SERVICEDESK_USAGE =
  '$0 --out FILE [--manifest FILE] [--rows N] [--profile NAME] [--seed N] [--defect CLASS=COUNT]';

function refusal(message: string, hint?: string): ConnectorError {
  return new ConnectorError('config', message, {}, hint === undefined ? {} : { hint });
}

function wholeNumber(flags: Flags, name: string, fallback: number): number {
  const value = flags.number(name) ?? fallback;
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw refusal(`--${name} must be a whole number`);
}

function oneOf<T extends string>(flags: Flags, name: string, known: readonly T[], fallback: T): T {
  const value = flags.get(name) ?? fallback;
  const found = known.find((word) => word === value);
  if (found !== undefined) return found;
  throw refusal(`--${name} "${String(value)}" is not known`, `known: ${known.join(', ')}`);
}

/** Reads `D01=50,D25=0.5%`: a count, a share of the rows with a point, or a percentage. */
function amounts(text: string | boolean | undefined): ReadonlyMap<string, Amount> {
  const asked = new Map<string, Amount>();
  if (typeof text !== 'string') return asked;
  for (const part of text.split(',')) {
    const [, word = '', number = '', percent] = /^\s*([A-Za-z]\w*)=(\d+(?:\.\d+)?)(%?)\s*$/.exec(part) ?? [];
    if (word === '') throw refusal(`--defect "${part}" is not understood`, 'write D01=50, D01=0.005 or D01=0.5%');
    const defect = [...DEFECTS.values()].find(({ id, name }) => id === word.toUpperCase() || name === word);
    if (defect === undefined) {
      const near = nearest(
        word,
        [...DEFECTS.values()].flatMap(({ id, name }) => [id, name]),
      );
      throw refusal(
        `--defect: there is no class "${word}"`,
        near === undefined ? undefined : `did you mean "${near}"?`,
      );
    }
    const value = percent === '%' ? Number(number) / 100 : Number(number);
    const isRate = percent === '%' || number.includes('.');
    if (isRate && value > 1) throw refusal(`--defect ${word}: a share is at most 1`);
    asked.set(defect.id, isRate ? { rate: value } : { count: value });
  }
  return asked;
}

function optionsFrom(flags: Flags): GeneratorOptions {
  const rows = wholeNumber(flags, 'rows', ORIGINAL_ROWS);
  if (rows < FEWEST_ROWS) throw refusal(`--rows must be at least ${FEWEST_ROWS}`);
  const day = String(flags.get('as-of') ?? DEFAULT_AS_OF);
  const asOf = /^\d{4}-\d{2}-\d{2}$/.test(day) ? secondsOf(day) : undefined;
  // Dates of the past (D18) lie in 2019, and have to be earlier than all others.
  if (asOf === undefined || day < '2021' || day > '2099-12-31') {
    throw refusal(`--as-of "${day}" is not a day from 2021 to 2099`, 'write it as 2025-10-17');
  }
  const pageSize = wholeNumber(flags, 'page-size', 4096);
  if (pageSize < 512 || pageSize > 65_536 || !Number.isInteger(Math.log2(pageSize))) {
    throw refusal('--page-size must be a power of two from 512 to 65536');
  }
  const htmlFactor = flags.number('html-factor') ?? 1;
  if (!(htmlFactor >= 1)) throw refusal('--html-factor must be 1 or more');
  return {
    rows,
    profile: oneOf(flags, 'profile', PROFILES, 'clean'),
    seed: wholeNumber(flags, 'seed', 1),
    asOf,
    variant: oneOf(flags, 'schema-variant', VARIANTS, 'base'),
    defects: amounts(flags.get('defect')),
    wal: flags.get('wal') === true,
    leaveWal: wholeNumber(flags, 'leave-wal', 0),
    padFreeMb: wholeNumber(flags, 'pad-free-mb', 0),
    htmlFactor,
    pageSize,
  };
}

/** Writes the database and its manifest, and says on stdout where they are and how many rows each table has. */
export async function simulateServiceDesk(io: Io, { flags, log }: Session): Promise<number> {
  const out = flags.get('out');
  if (typeof out !== 'string') throw refusal('--out is missing', 'name the database file to write');
  const manifestFile = String(flags.get('manifest') ?? `${out}.manifest.json`);
  if (manifestFile === out) throw refusal('--manifest and --out are the same file');
  const options = optionsFrom(flags);
  const before = io.clock.now();
  const manifest = await generate(out, manifestFile, options, io.signal).catch((cause: unknown) => {
    if (io.signal.aborted) throw cause;
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new ConnectorError('config', `cannot write the database: ${problem}`, { path: out }, { cause });
  });
  const rows = Object.fromEntries(Object.entries(manifest.tables).map(([name, table]) => [name, table.rows]));
  const defects = Object.values(manifest.defects).reduce((sum, { count }) => sum + count, 0);
  const short = Object.entries(manifest.options.defects)
    .filter(([id, count]) => (manifest.defects[id]?.count ?? 0) < count)
    .map(([id]) => id);
  if (short.length > 0) {
    log.warn('defects_left_out', `the file has too little room for some of ${short.join(', ')}: take more rows`);
  }
  log.info('database_written', `${out}: ${options.profile}, ${defects} defects`, {
    path: out,
    duration_ms: Math.round(io.clock.now() - before),
  });
  await print(io, JSON.stringify({ database: out, manifest: manifestFile, rows }));
  return EXIT.complete;
}
