/**
 * Command lines without anything special, read by the parser that yargs itself uses. The rest of yargs (help texts,
 * their width, messages) takes 80 ms and 9 MB to load, more than all else at the start, and is needed only where there is
 * something to explain.
 */
import type { Options } from 'yargs';
import parse from 'yargs-parser';

/** Values by the long name of their flag. */
export type FlagValues = Readonly<Record<string, unknown>>;

/** Flags of yargs that are no more to its parser than spelling. */
const SPELLING = {
  'camel-case-expansion': false,
  'boolean-negation': false,
  'dot-notation': false,
  'strip-aliased': true,
};

/** The values if `argv` consists of known flags with values that fit; undefined for everything that yargs has to answer. */
export function plainFlags(
  argv: readonly string[],
  options: Readonly<Record<string, Options>>,
): FlagValues | undefined {
  const flags = Object.entries(options);
  const named = (holds: (option: Options) => boolean) =>
    flags.filter(([, option]) => holds(option)).map(([name]) => name);
  const { argv: given, error } = parse.detailed([...argv], {
    alias: Object.fromEntries(flags.map(([name, { alias }]) => [name, [alias ?? []].flat()])),
    array: named(({ array }) => array === true),
    boolean: named(({ type }) => type === 'boolean'),
    string: named(({ type }) => type === 'string'),
    number: named(({ type }) => type === 'number'),
    narg: Object.fromEntries(flags.flatMap(([name, { nargs }]) => (nargs === undefined ? [] : [[name, nargs]]))),
    configuration: SPELLING,
  });
  const { _: words, ...values } = given;
  if (error !== null || words.length > 0 || argv.includes('--')) return undefined;
  const read: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const option = options[name];
    const accepted = option === undefined ? undefined : acceptedValue(option, value);
    if (accepted === undefined) return undefined;
    read[name] = accepted;
  }
  return read;
}

function acceptedValue(option: Options, value: unknown): unknown {
  if (option.type === 'boolean') return value === true ? value : undefined;
  if (option.array === true) {
    const elements = value as readonly unknown[];
    return elements.length > 0 && elements.every((element) => typeof element === 'string' && element !== '')
      ? elements
      : undefined;
  }
  // Without requiresArg the value may be left out; a flag given twice has become a list.
  if (typeof value !== 'string' || value === '') return undefined;
  if (option.choices === undefined && (option.requiresArg !== true || option.type !== 'string')) return undefined;
  const result: unknown = option.coerce === undefined ? value : option.coerce(value);
  return option.choices === undefined || option.choices.includes(result as string) ? result : undefined;
}
