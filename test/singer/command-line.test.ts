import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Flags, readCommandLine, TAP_FLAGS, TARGET_FLAGS } from '../../singer/command-line.ts';
import { ConnectorError } from '../../singer/errors.ts';

const read = (argv: readonly string[]) => readCommandLine('tap-x', argv, TAP_FLAGS, '$0 --config FILE\n\nReads X.');
const flagsOf = async (...argv: string[]): Promise<Flags> => (await read(argv)).flags;

async function refusalOf(...argv: string[]): Promise<string> {
  const error = await read(argv).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConnectorError);
  expect((error as ConnectorError).code).toBe('config');
  return (error as ConnectorError).line;
}

afterEach(() => vi.unstubAllEnvs());

describe('flags of a tap', () => {
  test.each<[string[], string[]]>([
    [[], []],
    [['--config', 'a.json'], ['a.json']],
    [['--config=a.json'], ['a.json']],
    [
      ['-c', 'a.json', '--config', 'ENV', '--config=b.json'],
      ['a.json', 'ENV', 'b.json'],
    ],
  ])('%j: every config in order', async (argv, expected) => {
    expect((await flagsOf(...argv)).config).toEqual(expected);
  });

  test.each([
    [['--state', 's.json'], 'state', 's.json'],
    [['-s', 's.json'], 'state', 's.json'],
    [['--catalog', 'c.json'], 'catalog', 'c.json'],
    [['--properties', 'c.json'], 'catalog', 'c.json'],
    [['-p', 'c.json'], 'catalog', 'c.json'],
    [['--discover'], 'discover', true],
    [['-d'], 'discover', true],
    [['--test'], 'test', ''],
    [['--test', '--discover'], 'test', ''],
    [['--test=all'], 'test', 'all'],
    [['--test=schema'], 'test', 'schema'],
    [['--dev'], 'dev', true],
    [[], 'state', undefined],
  ])('%j', async (argv, flag, expected) => {
    expect((await flagsOf(...argv)).get(flag)).toBe(expected);
  });

  test('of the log and the metrics', async () => {
    const flags = await flagsOf('--log-format', 'singer-sdk', '--log-level=warn', '--metrics-file', 'm.prom');
    expect(flags).toMatchObject({ logFormat: 'singer-sdk', logLevel: 'WARNING', metricsFile: 'm.prom', help: false });
    expect(await flagsOf()).toMatchObject({ logFormat: undefined, logLevel: undefined, metricsFile: undefined });
  });

  test.each([['--help'], ['-h']])('%s asks for the help', async (flag) => {
    const { flags, help } = await read([flag]);
    expect(flags.help).toBe(true);
    const text = await help();
    for (const part of ['tap-x --config FILE', 'Reads X.', '--state', '--discover', '--metrics-file', '-c, --config'])
      expect(text).toContain(part);
    expect(text).not.toContain('--dev');
  });
});

describe('what is not understood is refused', () => {
  test.each([
    [['--confg', 'a'], 'unknown flag or word "confg" — did you mean --config?'],
    [['--catalogue=c'], 'did you mean --catalog?'],
    [['--propertys', 'c'], 'did you mean --properties?'],
    [['--Config', 'c'], 'did you mean --config?'],
    [['--config.a', 'c'], 'unknown flag or word "config.a"'],
    [['--no-discover'], 'unknown flag or word "no-discover"'],
    [['--entirely-else'], 'unknown flag or word "entirely-else" — tap-x --help lists the flags'],
    [['-x'], 'unknown flag or word "x" — tap-x --help lists the flags'],
    [['pmp.json'], 'unknown flag or word "pmp.json"'],
    [['--', 'pmp.json'], 'unknown flag or word "pmp.json"'],
    [['--config', 'a', 'b'], 'unknown flag or word "b"'],
    [['--state'], 'tap-x: Not enough arguments following: state'],
    [['--config'], 'Not enough arguments following: config'],
    [['--metrics-file', '--discover'], 'Not enough arguments following: metrics-file'],
    [['--state='], '--state needs a value'],
    [['--config', ''], '--config needs a value'],
    [['--state=a', '-s', 'b'], '--state is given 2 times'],
    [['--test=some'], '--test=some is not known — write --test or --test=schema'],
    [['--log-format', 'xml'], 'Given: "xml", Choices: "json", "pretty", "singer-sdk"'],
    [['--log-level', 'loud'], 'Given: "LOUD", Choices: "DEBUG"'],
  ])('%j', async (argv, problem) => {
    const line = await refusalOf(...argv);
    expect(line).toContain(problem);
    expect(line).not.toContain('\n');
  });

  test('in English, whatever the language of the machine', async () => {
    vi.stubEnv('LC_ALL', 'de_DE.UTF-8');
    expect(await refusalOf('--confg', 'a')).toContain('did you mean --config?');
  });
});

test('a target has its own flags', async () => {
  const { flags } = await readCommandLine(
    'target-x',
    ['--input', 'm.jsonl', '--state-file=s.json'],
    TARGET_FLAGS,
    '$0',
  );
  expect([flags.get('input'), flags.get('state-file')]).toEqual(['m.jsonl', 's.json']);
  await expect(readCommandLine('target-x', ['--state', 's.json'], TARGET_FLAGS, '$0')).rejects.toThrow('"state"');
});
