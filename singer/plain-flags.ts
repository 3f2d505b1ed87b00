/** Command lines without anything special, read without yargs: loading that takes longer than all else at the start. */
import type { Options } from 'yargs';

/** Values by the long name of their flag, as yargs would give them. */
export type FlagValues = Readonly<Record<string, unknown>>;

/**
 * Reads `argv` if every word of it is a known flag with a value that fits. Undefined for everything else: help, slips,
 * missing values, flags whose value may be left out. Those are for yargs, which knows how to answer them.
 */
export function plainFlags(
  argv: readonly string[],
  options: Readonly<Record<string, Options>>,
): FlagValues | undefined {
  const values: Record<string, unknown> = {};
  for (let at = 0; at < argv.length; at += 1) {
    const [, dashes = '', name = '', inline] = /^(--?)([a-z][a-z-]*)(?:=(.*))?$/s.exec(argv[at] ?? '') ?? [];
    const flag = Object.keys(options).find((long) => names(long, options[long]).includes(`${dashes}${name}`));
    const option = flag === undefined ? undefined : options[flag];
    if (flag === undefined || option === undefined) return undefined;
    if (option.type === 'boolean') {
      if (inline !== undefined || flag in values) return undefined;
      values[flag] = true;
      continue;
    }
    // yargs takes the value of a short flag after "=" for a part of the value.
    if (inline !== undefined && dashes === '-') return undefined;
    if (inline === undefined) at += 1;
    const value = acceptedValue(option, inline ?? argv[at]);
    if (value === undefined) return undefined;
    if (option.array === true) values[flag] = [...((values[flag] as unknown[] | undefined) ?? []), value];
    else if (flag in values) return undefined;
    else values[flag] = value;
  }
  return values;
}

function names(long: string, option: Options | undefined): readonly string[] {
  const aliases = [option?.alias ?? []].flat();
  return [`--${long}`, ...aliases.map((alias) => (alias.length === 1 ? `-${alias}` : `--${alias}`))];
}

function acceptedValue(option: Options, text: string | undefined): string | undefined {
  // Without requiresArg the value may be left out, and numbers have forms of their own.
  if (text === undefined || text === '' || text.startsWith('-')) return undefined;
  if (option.choices === undefined && (option.requiresArg !== true || option.type !== 'string')) return undefined;
  const value = (option.coerce === undefined ? text : option.coerce(text)) as string;
  return option.choices === undefined || option.choices.includes(value) ? value : undefined;
}
