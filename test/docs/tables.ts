/** Tables of the documentation that are made from the declarations. */
import type { Options } from 'yargs';
import type { SettingsSchema } from '../../singer/config.ts';
import type { JsonSchema } from '../../singer/messages.ts';
import { BOOKKEEPING } from '../../taps/manageengine/bookkeeping.ts';
import { DATA_CENTERS } from '../../taps/manageengine/settings.ts';
import { STREAMS as PLEX_STREAMS } from '../../taps/plex/streams.ts';
import { STREAMS } from '../../taps/pmp/streams.ts';

function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(...headings), row(...headings.map(() => '---')), ...rows.map((cells) => row(...cells))].join('\n');
}

const code = (text: unknown): string => `\`${typeof text === 'string' ? text : JSON.stringify(text)}\``;

/** What a setting takes, in words. */
function takes(node: JsonSchema): string {
  if (node.secret === true) return 'secret';
  if (Array.isArray(node.enum)) return node.enum.map(code).join(', ');
  const least = node.minimum ?? (node.exclusiveMinimum === undefined ? undefined : `above ${node.exclusiveMinimum}`);
  const bounds = [
    ...(least === undefined ? [] : [typeof least === 'string' ? least : `from ${least}`]),
    ...(node.maximum === undefined ? [] : [`to ${node.maximum}`]),
  ];
  const type =
    node.type === 'array'
      ? 'list of texts'
      : node.format === 'uri'
        ? 'address'
        : node.type === 'string'
          ? 'text'
          : node.type === 'boolean'
            ? 'true or false'
            : node.type === 'integer'
              ? 'whole number'
              : String(node.type);
  return [type, ...bounds].join(' ');
}

/** One row per setting of an executable. */
export function settingsTable(plugin: string, { properties, required = [] }: SettingsSchema): string {
  return table(
    ['Setting', 'Environment', 'Default', 'Takes', 'Meaning'],
    Object.entries(properties).map(([name, node]) => [
      code(name),
      [`${plugin}_${name}`.toUpperCase().replaceAll('-', '_'), ...((node['x-env'] ?? []) as string[])]
        .map(code)
        .join(', '),
      required.includes(name) ? 'required' : node.default === undefined ? 'none' : code(node.default),
      takes(node),
      node.description ?? '',
    ]),
  );
}

/** One row per flag. */
export function flagsTable(options: Readonly<Record<string, Options>>): string {
  return table(
    ['Flag', 'Short', 'Meaning'],
    Object.entries(options)
      .filter(([, { hidden }]) => hidden !== true)
      .map(([name, { alias, describe }]) => [
        code(`--${name}`),
        [alias ?? []]
          .flat()
          .map((other) => code(other.length === 1 ? `-${other}` : `--${other}`))
          .join(', '),
        describe ?? '',
      ]),
  );
}

/** The row of another stream that costs a request, as a schema's description tells it: "read system by system". */
const FOLLOWED = /\bread (\w+) by \1\b/;

/** How a stream is read, in words. */
function manner({ checkpoint, optional, schema }: (typeof STREAMS)[number]): string {
  const [, followed] = FOLLOWED.exec(schema.description ?? '') ?? [];
  if (followed !== undefined) return `one request per ${followed}`;
  const pages = checkpoint.properties?.gaps === undefined ? 'one request per snapshot' : 'page by page';
  return optional ? `${pages}, if the server offers it` : pages;
}

/** One row per stream of tap-pmp. */
export function streamsTable(): string {
  const told = (schema: JsonSchema) =>
    (schema.description ?? '').replace(/ \(endpoint [^)]*\)/, '').replace(/ Bookkeeping\.$|: bookkeeping(?=\.$)/, '');
  return table(
    ['Stream', 'Endpoint', 'Key', 'Read', 'By default', 'What a row is'],
    [
      ...STREAMS.map((stream) => [
        code(stream.name),
        code(stream.path),
        stream.key.map(code).join(', '),
        manner(stream),
        stream.selectedByDefault ? 'on' : '**off**',
        told(stream.schema),
      ]),
      ...BOOKKEEPING.map(({ name, key, schema }) => [
        code(name),
        'none',
        key.map(code).join(', '),
        'written in every run',
        'always',
        told(schema),
      ]),
    ],
  );
}

/** One row per data centre. */
export function dataCentersTable(): string {
  return table(
    ['Data centre', 'Server', 'Accounts server'],
    Object.entries(DATA_CENTERS).map(([name, { base, accounts }]) => [code(name), code(base), code(accounts)]),
  );
}

/** One row per stream of tap-plex, in the order in which they are read. */
export function plexStreamsTable(): string {
  return table(
    ['Stream', 'From', 'Key', 'Read', 'If refused', 'What a row is'],
    PLEX_STREAMS.map(({ declaration: { name, key, schema }, source, manner, mandatory }) => [
      code(name),
      source.startsWith('/') ? code(source) : source,
      key.map(code).join(', '),
      manner,
      mandatory ? '**exit code 1**' : 'skipped',
      schema.description ?? '',
    ]),
  );
}
