/**
 * Settings: defaults < environment < config files in order (`--config ENV` gives the environment its place in that
 * order). Everything that is wrong is found before the first request and told at once.
 */
import { readFile } from 'node:fs/promises';
import { closest, distance } from 'fastest-levenshtein';
import { compileSchema } from './check.ts';
import { ConnectorError, textOf } from './errors.ts';
import type { Io } from './io.ts';
import type { Log } from './log.ts';
import { isObject, type Json, jsonProblem, parseLossless, withoutBom } from './lossless.ts';
import type { JsonSchema } from './messages.ts';

/** One wrong setting: which, what is wrong with it, and an example of a right value. */
export interface SettingFault {
  readonly setting: string;
  readonly problem: string;
  readonly example?: string;
}

/** A settings schema: plain JSON Schema; `secret: true` marks secrets, `x-env` names further environment variables. */
export interface SettingsSchema extends JsonSchema {
  readonly properties: { readonly [setting: string]: JsonSchema };
}

export type Settings = { readonly [setting: string]: Json };

/** Settings of the Singer SDK that tapworks does not have; named so that the answer is not a spelling hint. */
const NOT_OFFERED = new Set([
  'stream_maps',
  'stream_map_config',
  'faker_config',
  'flattening_enabled',
  'flattening_max_depth',
  'flattening_max_key_length',
  'flattening_separator',
  'emit_activate_version_messages',
  'process_activate_version_messages',
  'batch_config',
  'batch_size_rows',
  'start_date',
]);

/** The nearest of `known` if it is near enough to be a slip of the fingers. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const candidate = closest(name, [...known]);
  return distance(name, candidate) <= Math.max(2, Math.floor(name.length / 3)) ? candidate : undefined;
}

function typesOf(schema: JsonSchema): readonly string[] {
  return schema.type === undefined ? [] : typeof schema.type === 'string' ? [schema.type] : schema.type;
}

/** A value from the environment as the setting's type wants it; what cannot be read stays text and fails the check. */
function cast(text: string, schema: JsonSchema): Json {
  const types = typesOf(schema);
  const trimmed = text.trim();
  if (types.includes('boolean')) {
    if (/^(true|1)$/i.test(trimmed)) return true;
    if (/^(false|0)$/i.test(trimmed)) return false;
  }
  if ((types.includes('integer') || types.includes('number')) && /^-?\d+(\.\d+)?$/.test(trimmed))
    return Number(trimmed);
  const structured = types.includes('array') || types.includes('object') || schema.secret === true;
  if (structured && /^[[{]/.test(trimmed)) {
    try {
      const value = parseLossless(trimmed);
      // A secret may itself be JSON (a key file's content): only a reference is taken apart.
      return schema.secret === true && !isReference(value) ? text : value;
    } catch {
      return text;
    }
  }
  return text;
}

function environmentName(plugin: string, setting: string): string {
  return `${plugin}_${setting}`.toUpperCase().replaceAll('-', '_');
}

function fromEnvironment(plugin: string, schema: SettingsSchema, env: Io['env']): Settings {
  const found: Record<string, Json> = {};
  for (const [setting, node] of Object.entries(schema.properties)) {
    const more = (node['x-env'] ?? []) as readonly string[];
    for (const name of [...more, environmentName(plugin, setting)]) {
      const value = env[name];
      if (value !== undefined && value !== '') found[setting] = cast(value, node);
    }
  }
  return found;
}

/** A variable that is nearly one of ours: it may be somebody's own, so it is a warning and not a fault. */
function warnOfSlips(plugin: string, known: readonly string[], env: Io['env'], log: Log): void {
  const prefix = environmentName(plugin, '');
  const names = known.map((setting) => environmentName(plugin, setting));
  for (const name of Object.keys(env)) {
    if (!name.startsWith(prefix) || names.includes(name) || name === `${prefix}LOGLEVEL`) continue;
    const near = nearest(
      name.slice(prefix.length),
      names.map((own) => own.slice(prefix.length)),
    );
    if (near === undefined) continue;
    log.warn(
      'unknown_environment',
      `the environment variable ${name} is not a setting; did you mean ${prefix}${near}?`,
    );
  }
}

function isReference(value: Json): boolean {
  if (!isObject(value)) return false;
  const [name, ...more] = Object.keys(value);
  return more.length === 0 && (name === 'env' || name === 'file' || name === 'keyring');
}

async function fromFile(path: string): Promise<{ readonly settings: Settings } | { readonly fault: SettingFault }> {
  const fault = (problem: string) => ({ fault: { setting: `--config ${path}`, problem } });
  let text: string;
  try {
    text = withoutBom(await readFile(path, 'utf8'));
  } catch (cause) {
    return fault(`cannot be read: ${textOf(cause)}`);
  }
  try {
    const value = parseLossless(text);
    return isObject(value) ? { settings: value } : fault('must hold a JSON object');
  } catch (cause) {
    return fault(`is not JSON: ${jsonProblem(cause)}`);
  }
}

/** Where a secret may come from instead of standing in the file. */
const SECRET_FORMS: JsonSchema = {
  anyOf: [
    { type: 'string', minLength: 1 },
    { type: 'object', properties: { env: { type: 'string' } }, required: ['env'], additionalProperties: false },
    { type: 'object', properties: { file: { type: 'string' } }, required: ['file'], additionalProperties: false },
    { type: 'object', properties: { keyring: { type: 'string' } }, required: ['keyring'], additionalProperties: false },
  ],
};

async function secretValue(reference: { readonly [key: string]: Json }, env: Io['env']): Promise<string> {
  const { env: name, file, keyring } = reference;
  if (typeof name === 'string') {
    const value = env[name];
    if (value === undefined || value === '')
      throw new Error(`names the environment variable ${name}, which is not set`);
    return value;
  }
  if (typeof file === 'string') {
    const text = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new Error(`names the file ${file}, which cannot be read: ${textOf(cause)}`);
    });
    const value = text.replace(/\r?\n$/, '');
    if (value === '') throw new Error(`names the file ${file}, which is empty`);
    return value;
  }
  const [service, ...account] = String(keyring).split('/');
  if (service === undefined || service === '' || account.length === 0) {
    throw new Error('must name the keyring entry as "service/account"');
  }
  // Loaded only here: the native module opens the operating system's keychain.
  const { Entry } = await import('@napi-rs/keyring');
  let value: string | null;
  try {
    value = new Entry(service, account.join('/')).getPassword();
  } catch (cause) {
    throw new Error(`names the keyring entry ${String(keyring)}, which cannot be read: ${textOf(cause)}`);
  }
  if (value === null || value === '')
    throw new Error(`names the keyring entry ${String(keyring)}, which does not exist`);
  return value;
}

function exampleOf(node: JsonSchema | undefined): string | undefined {
  const examples = node?.examples as readonly Json[] | undefined;
  const value = examples?.[0] ?? (node?.default as Json | undefined);
  return value === undefined ? undefined : JSON.stringify(value);
}

function unknownSetting(name: string, known: readonly string[]): SettingFault {
  if (NOT_OFFERED.has(name)) {
    return { setting: name, problem: 'is a setting of other Singer tools that tapworks does not offer; remove it' };
  }
  const near = nearest(name, known);
  return { setting: name, problem: `is not a known setting${near === undefined ? '' : `; did you mean "${near}"?`}` };
}

/** How settings are asked for. */
export interface SettingsRequest {
  /** The executable's name: `tap-pmp` reads `TAP_PMP_…`. */
  readonly plugin: string;
  readonly schema: SettingsSchema;
  /** The `--config` values in order; `ENV` is the environment. */
  readonly sources: readonly string[];
  /** Rules that span settings. */
  readonly rules?: (settings: Settings) => readonly SettingFault[];
  /** False for commands that need no credentials (`--status`): nothing is required, secrets stay unresolved. */
  readonly complete: boolean;
}

/** All faults of the given settings and, if there are none, the settings themselves with secrets resolved. */
export async function loadSettings(request: SettingsRequest, io: Pick<Io, 'env'>, log: Log): Promise<Settings> {
  const { plugin, schema, sources } = request;
  const known = Object.keys(schema.properties);
  const faults: SettingFault[] = [];
  const environment = fromEnvironment(plugin, schema, io.env);
  warnOfSlips(plugin, known, io.env, log);
  const fallback = defaults(schema);
  let merged: Record<string, Json> = { ...fallback, ...(sources.includes('ENV') ? {} : environment) };
  let unread = false;
  for (const source of sources) {
    const given = source === 'ENV' ? { settings: environment } : await fromFile(source);
    if ('fault' in given) {
      faults.push(given.fault);
      unread = true;
    } else merged = { ...merged, ...given.settings };
  }
  for (const name of Object.keys(merged)) {
    if (name.startsWith('_')) delete merged[name];
    else if (!known.includes(name)) faults.push(unknownSetting(name, known));
    else if (merged[name] === null) {
      // Runners write null for "not set": the default stays.
      if (fallback[name] === undefined) delete merged[name];
      else merged[name] = fallback[name];
    }
  }
  const properties = Object.fromEntries(
    Object.entries(schema.properties).map(([name, node]) => [name, node.secret === true ? SECRET_FORMS : node]),
  );
  // What is missing is known only when every source could be read.
  const whole = request.complete && !unread;
  const required = whole ? (schema.required ?? []) : [];
  const seen = new Set<string>();
  for (const fault of compileSchema({ type: 'object', properties, required })(merged)) {
    const setting =
      fault.keyword === 'required' && fault.path === '/' ? String(fault.property) : (fault.path.split('/')[1] ?? '');
    if (seen.has(setting)) continue;
    seen.add(setting);
    const problem =
      fault.keyword === 'required' && fault.path === '/'
        ? 'is missing'
        : schema.properties[setting]?.secret === true
          ? 'must be text, or {"env":"NAME"}, {"file":"path"} or {"keyring":"service/account"}'
          : fault.problem;
    // A secret may stand anywhere below its setting's name, so the place within it is told for the others only.
    const place = schema.properties[setting]?.secret === true || fault.path === '/' ? setting : fault.path.slice(1);
    faults.push(faultWith(place, problem, exampleOf(schema.properties[setting])));
  }
  if (whole && request.rules !== undefined) faults.push(...request.rules(merged));
  for (const [name, node] of Object.entries(schema.properties)) {
    const value = merged[name];
    if (node.secret !== true || value === undefined) continue;
    if (isObject(value) && request.complete && !seen.has(name)) {
      try {
        merged[name] = await secretValue(value, io.env);
      } catch (cause) {
        faults.push({ setting: name, problem: textOf(cause) });
      }
    }
    if (typeof merged[name] === 'string') log.hide(merged[name]);
  }
  if (faults.length > 0) throw settingsError(plugin, faults);
  return merged;
}

function faultWith(setting: string, problem: string, example: string | undefined): SettingFault {
  return { setting, problem, ...(example !== undefined && { example }) };
}

function defaults(schema: SettingsSchema): Settings {
  return Object.fromEntries(
    Object.entries(schema.properties)
      .filter(([, node]) => node.default !== undefined)
      .map(([name, node]) => [name, node.default as Json]),
  );
}

/** One error that names every wrong setting. */
export function settingsError(plugin: string, faults: readonly SettingFault[]): ConnectorError {
  const list = faults.map(
    ({ setting, problem, example }) => `${setting} ${problem}${example === undefined ? '' : ` (example: ${example})`}`,
  );
  const count = faults.length === 1 ? 'a setting is wrong' : `${faults.length} settings are wrong`;
  return new ConnectorError(
    'config',
    `${plugin}: ${count}: ${list.join('; ')}`,
    {},
    {
      hint: `nothing was read or written; ${plugin} --about describes every setting`,
    },
  );
}
