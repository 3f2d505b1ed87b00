/** Command lines of taps and targets (yargs): what is known, and a near name for what is not. */
import type { Argv, Options } from 'yargs';
import { nearest } from './config.ts';
import { ConnectorError } from './errors.ts';
import type { LogFormat } from './log.ts';
import { type FlagValues, plainFlags } from './plain-flags.ts';

/** Flags every executable has. */
export const COMMON_FLAGS = {
  'log-format': {
    choices: ['json', 'pretty', 'singer-sdk'],
    describe: 'Form of the log lines on stderr (default: pretty on a terminal, else json)',
  },
  'log-level': {
    choices: ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'],
    coerce: (word: string) => word.toUpperCase().replace(/^WARN$/, 'WARNING'),
    requiresArg: true,
    describe: 'DEBUG, INFO, WARNING, ERROR or CRITICAL',
  },
  'metrics-file': { type: 'string', requiresArg: true, describe: 'Write Prometheus text to this file' },
} as const satisfies Record<string, Options>;

/** Where settings come from. */
export const CONFIG_FLAG = {
  config: {
    alias: 'c',
    type: 'string',
    array: true,
    requiresArg: true,
    nargs: 1,
    describe: 'Settings file (JSON), or ENV for the environment; repeatable, later wins',
  },
} as const satisfies Record<string, Options>;

const ABOUT = {
  about: { type: 'string', describe: 'Describe this program and its settings' },
  format: { choices: ['text', 'json', 'markdown'], describe: 'Form of --about' },
} as const satisfies Record<string, Options>;

export const TAP_FLAGS = {
  ...CONFIG_FLAG,
  state: {
    alias: 's',
    type: 'string',
    requiresArg: true,
    describe: 'State file to resume from; missing or empty means first run',
  },
  catalog: {
    alias: ['properties', 'p'],
    type: 'string',
    requiresArg: true,
    describe: 'Catalog file that selects streams and properties',
  },
  discover: { alias: 'd', type: 'boolean', describe: 'Print the catalog and exit' },
  test: {
    type: 'string',
    describe: 'Read at most one record per stream and report; --test=schema writes the schemas only',
  },
  ...ABOUT,
  ...COMMON_FLAGS,
  dev: { type: 'boolean', hidden: true },
} as const satisfies Record<string, Options>;

export const TARGET_FLAGS = {
  ...CONFIG_FLAG,
  input: { type: 'string', requiresArg: true, describe: 'Read messages from this file instead of stdin' },
  'state-file': { type: 'string', requiresArg: true, describe: 'Also keep the last safe state in this file' },
  ...ABOUT,
  ...COMMON_FLAGS,
} as const satisfies Record<string, Options>;

/** Flags as given: `undefined` when absent. */
export interface Flags {
  readonly help: boolean;
  readonly config: readonly string[];
  readonly logFormat: LogFormat | undefined;
  readonly logLevel: string | undefined;
  readonly metricsFile: string | undefined;
  /** The value of a flag by its long name. */
  get(name: string): string | boolean | undefined;
  /** The value of a numeric flag. */
  number(name: string): number | undefined;
}

/** A command line as it was understood, and its help text. */
export interface CommandLine {
  readonly flags: Flags;
  help(): Promise<string>;
}

/**
 * Reads `argv`.
 * @throws ConnectorError `config` for unknown flags (with the nearest known name), surplus words and missing values.
 */
export async function readCommandLine(
  name: string,
  argv: readonly string[],
  options: Readonly<Record<string, Options>>,
  usage: string,
): Promise<CommandLine> {
  const parser = () => parserOf(name, argv, options, usage);
  const values = plainFlags(argv, options) ?? (await checkedValues(name, options, await parser()));
  return { flags: flagsOf(values), help: async () => (await parser()).getHelp() };
}

function refusal(name: string, problem: string, hint?: string): ConnectorError {
  return new ConnectorError('config', `${name}: ${problem}`, {}, { hint: hint ?? `${name} --help lists the flags` });
}

async function parserOf(
  name: string,
  argv: readonly string[],
  options: Readonly<Record<string, Options>>,
  usage: string,
): Promise<Argv> {
  const { default: yargs } = await import('yargs');
  const known = Object.entries(options)
    .filter(([, { hidden }]) => hidden !== true)
    .flatMap(([flag, { alias }]) => [flag, ...[alias ?? []].flat()])
    .filter((word) => word.length > 1);
  return yargs([...argv])
    .locale('en')
    .scriptName(name)
    .usage(usage)
    .options(options)
    .version(false)
    .help(false)
    .option('help', { alias: 'h', type: 'boolean', describe: 'Show this help' })
    .option('version', { type: 'boolean', describe: 'Show the version' })
    .parserConfiguration({
      'camel-case-expansion': false,
      'boolean-negation': false,
      'dot-notation': false,
    })
    .wrap(100)
    .exitProcess(false)
    .strict()
    .fail((message: string | undefined, error: Error | undefined) => {
      const unknown = /^Unknown arguments?: (.*)$/.exec(message ?? '')?.[1]?.split(', ')[0];
      if (unknown === undefined) throw refusal(name, (message ?? String(error)).replace(/\s*\n\s*/g, ' '));
      const near = nearest(unknown.replace(/^-+/, ''), [...known, 'help', 'version']);
      throw refusal(
        name,
        `unknown flag or word "${unknown}"`,
        near === undefined ? undefined : `did you mean --${near}?`,
      );
    });
}

/** What yargs has understood, checked for what it lets pass. */
async function checkedValues(
  name: string,
  options: Readonly<Record<string, Options>>,
  parser: Argv,
): Promise<FlagValues> {
  const values = (await parser.parse()) as FlagValues;
  const [surplus] = (values._ ?? []) as readonly unknown[];
  if (surplus !== undefined) throw refusal(name, `unknown flag or word "${String(surplus)}"`);
  for (const [flag, { requiresArg, array }] of Object.entries(options)) {
    const given = [values[flag] ?? []].flat() as readonly unknown[];
    if (requiresArg === true && given.includes('')) throw refusal(name, `--${flag} needs a value`);
    if (array !== true && given.length > 1) throw refusal(name, `--${flag} is given ${given.length} times`);
  }
  const test = values.test;
  if (test !== undefined && !['', 'all', 'schema'].includes(String(test))) {
    throw refusal(name, `--test=${String(test)} is not known`, 'write --test or --test=schema');
  }
  return values;
}

function flagsOf(values: FlagValues): Flags {
  const text = (flag: string) => {
    const value = values[flag];
    return typeof value === 'string' || typeof value === 'boolean' ? value : undefined;
  };
  const word = (flag: string) => {
    const value = text(flag);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  return {
    help: values.help === true,
    config: (values.config as string[] | undefined) ?? [],
    logFormat: word('log-format') as LogFormat | undefined,
    logLevel: word('log-level'),
    metricsFile: word('metrics-file'),
    get: text,
    number: (flag) => (typeof values[flag] === 'number' ? values[flag] : undefined),
  };
}
