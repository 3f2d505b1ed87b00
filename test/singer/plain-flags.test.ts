/** The quick reading of a command line gives what yargs gives, or leaves it to yargs. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import yargs from 'yargs';
import { TAP_FLAGS, TARGET_FLAGS } from '../../singer/command-line.ts';
import { plainFlags } from '../../singer/plain-flags.ts';

const FLAGS = { ...TAP_FLAGS, ...TARGET_FLAGS };

function byYargs(argv: readonly string[]): Readonly<Record<string, unknown>> | undefined {
  try {
    return yargs([...argv])
      .options(FLAGS)
      .version(false)
      .help(false)
      .parserConfiguration({ 'camel-case-expansion': false, 'boolean-negation': false, 'dot-notation': false })
      .exitProcess(false)
      .strict()
      .fail((message, error) => {
        throw error ?? new Error(message);
      })
      .parseSync();
  } catch {
    return undefined;
  }
}

const names = Object.keys(FLAGS).flatMap((name) => [`--${name}`]);
const value = fc.oneof(
  fc.constantFrom(
    'a.json',
    'ENV',
    'json',
    'pretty',
    'debug',
    'WARN',
    '',
    '-',
    '-1',
    '5',
    'all',
    'schema',
    'a=b',
    'x y',
    'ü',
  ),
  fc.string({ maxLength: 4 }),
);
const word = fc.oneof(
  fc.constantFrom(...names, '-c', '-s', '-p', '-d', '-h', '--properties', '--help', '--confg', '--', '-cx'),
  fc.tuple(fc.constantFrom(...names, '-c', '-s'), value).map(([name, text]) => `${name}=${text}`),
  value,
);

test('whatever it reads, yargs reads the same', () => {
  let read = 0;
  fc.assert(
    fc.property(fc.array(word, { maxLength: 5 }), (argv) => {
      const quick = plainFlags(argv, FLAGS);
      if (quick === undefined) return;
      read += 1;
      const slow = byYargs(argv);
      expect(slow).toBeDefined();
      for (const name of Object.keys(FLAGS)) expect([name, quick[name]]).toEqual([name, slow?.[name]]);
      expect(slow?._).toEqual([]);
    }),
    { numRuns: 3_000 },
  );
  expect(read).toBeGreaterThan(100);
});

test('usual command lines are read', () => {
  expect(plainFlags(['--config', 'a.json', '-c', 'b.json', '--state=s.json', '--log-level', 'warn'], FLAGS)).toEqual({
    config: ['a.json', 'b.json'],
    state: 's.json',
    'log-level': 'WARNING',
  });
  expect(plainFlags(['--discover'], FLAGS)).toEqual({ discover: true });
});

test.each([
  [['--help']],
  [['--confg', 'a.json']],
  [['--config']],
  [['--config', '']],
  [['--config', '--state']],
  [['--state', 'a', '--state', 'b']],
  [['--log-format', 'xml']],
  [['--test']],
  [['word']],
])('%j is left to yargs', (argv) => expect(plainFlags(argv, FLAGS)).toBeUndefined());
