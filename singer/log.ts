/** Log lines on stderr: pino underneath, one redactor at the edge, three formats. */
import { isIPv6 } from 'node:net';
import { pino } from 'pino';
import { type Io, processId } from './io.ts';

/** `json`: one object per line; `pretty`: for a person; `singer-sdk`: the structured lines that Meltano parses. */
export type LogFormat = 'json' | 'pretty' | 'singer-sdk';

export type Level = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL';

type Fields = Readonly<Record<string, unknown>>;

/** What the rest of the program writes to. `event` is the machine's name of the line, `message` the reader's. */
export interface Log {
  debug(event: string, message: string, fields?: Fields): void;
  info(event: string, message: string, fields?: Fields): void;
  warn(event: string, message: string, fields?: Fields): void;
  error(event: string, message: string, fields?: Fields): void;
  critical(event: string, message: string, fields?: Fields): void;
  /** Makes every later line hide this text. Call it for each secret before the secret is used. */
  hide(secret: string): void;
  /** Fields that every later line carries, e.g. `snapshot_id`. */
  always(fields: Fields): void;
  /** Called before and after each line while a progress bar is on the terminal. */
  around(bar: { clear(): void; redraw(): void } | undefined): void;
}

/** pino's numbers for our words: its own names (`warn`, `fatal`) are not the ones that Singer runners know. */
const LEVELS: Readonly<Record<Level, number>> = { DEBUG: 20, INFO: 30, WARNING: 40, ERROR: 50, CRITICAL: 60 };

// The look-behinds let a long word without `@` be scanned once, not once per character.
const EMAIL = /(?<![\p{L}\p{N}_.+%-])[\p{L}\p{N}_.+%-]+(?:@|%40)[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}_-]+)*(\.\p{L}{2,})/gu;
const IPV4 = /(?<![\d.])(\d{1,3})\.(\d{1,3})\.\d{1,3}\.\d{1,3}(?!\.?\d)/g;
const IPV6 = /(?<![\w:.])[\da-f]{0,4}(?::[\da-f]{0,4}){2,7}(?![\w:])/gi;

/** Masks e-mail and IP addresses as `***@***.com` and `10.0.***.***`. Loopback stays: it is nobody's and names the simulator. */
export function maskPersonal(text: string): string {
  return text
    .replace(EMAIL, '***@***$1')
    .replace(IPV4, (whole, a: string, b: string) => (a === '127' || whole === '0.0.0.0' ? whole : `${a}.${b}.***.***`))
    .replace(IPV6, (whole) => (whole.length > 3 && isIPv6(whole) ? `${whole.split(':')[0]}:***` : whole));
}

const SAMPLE_BYTES = 1024;

/** At most 1 KB of a response, masked; for logs and gap records. */
export function sampleOf(text: string): string {
  return cut(maskPersonal(text.slice(0, 4 * SAMPLE_BYTES)), SAMPLE_BYTES);
}

/** The first `bytes` bytes of a text in UTF-8, no character halved; what was cut shows as `…`. */
function cut(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const head = new Uint8Array(bytes - 3);
  return `${text.slice(0, new TextEncoder().encodeInto(text, head).read)}…`;
}

function levelFrom(name: string | undefined): Level {
  const word = (name ?? 'INFO').toUpperCase();
  if (word === 'WARN') return 'WARNING';
  return word in LEVELS ? (word as Level) : 'INFO';
}

/** Anything that a reader of lines might take for the end of one, with the blanks around it. */
const LINE_BREAKS = /[ \t]*[\n\v\f\r\u0085\u2028\u2029]\s*/g;

interface SingerSdkConfig {
  readonly format: LogFormat | undefined;
  readonly level: string | undefined;
}

/** Meltano names a logging configuration in `SINGER_SDK_LOG_CONFIG`; its formatter tells that it wants structured lines. */
async function meltanoConfig(path: string | undefined): Promise<SingerSdkConfig> {
  if (path === undefined || path === '') return { format: undefined, level: undefined };
  const { readFile } = await import('node:fs/promises');
  const text = await readFile(path, 'utf8').catch(() => '');
  return {
    format: text.includes('StructuredFormatter') ? 'singer-sdk' : undefined,
    level: /"root"\s*:\s*\{[^}]*"level"\s*:\s*"(\w+)"/.exec(text)?.[1],
  };
}

/** Longest text in a line: runners end a run over a line beyond their limit. */
const TEXT_BYTES = 16 * 1024;

/** A value with `redact` applied to every text in it, property names included. */
function redacted(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return cut(redact(value), TEXT_BYTES);
  if (Array.isArray(value)) return value.map((inner) => redacted(inner, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [redact(key), redacted(inner, redact)]));
}

/** Names of a line itself; a field that bears one would take its place. */
const RESERVED = new Set(['timestamp', 'level', 'logger', 'event_type', 'message', 'at']);

function own(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [RESERVED.has(name) ? `field_${name}` : name, value]),
  );
}

/** The forms in which a secret may turn up in a text: as it is, in JSON, in a URL, in a form. */
function formsOf(secret: string): readonly string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const url = [encodeURIComponent(secret.toWellFormed()), new URLSearchParams({ '': secret }).toString().slice(1)];
  return [
    secret,
    json,
    JSON.stringify(json).slice(1, -1),
    ...url.flatMap((form) => [form, form.replace(/%[\dA-F]{2}/g, (code) => code.toLowerCase())]),
  ];
}

/**
 * Opens the log of one executable. The level comes from `<NAME>_LOGLEVEL`, else `LOGLEVEL`, else Meltano's logging
 * configuration, else INFO.
 */
export async function openLog(
  name: string,
  io: Io,
  options: { format?: LogFormat; level?: string } = {},
): Promise<Log> {
  const meltano = await meltanoConfig(io.env.SINGER_SDK_LOG_CONFIG);
  const format = options.format ?? meltano.format ?? (io.terminal ? 'pretty' : 'json');
  const upper = name.toUpperCase().replaceAll('-', '_');
  const level = levelFrom(options.level || io.env[`${upper}_LOGLEVEL`] || io.env.LOGLEVEL || meltano.level);
  let secrets: readonly string[] = [];
  let permanent: Fields = {};
  let bar: { clear(): void; redraw(): void } | undefined;

  const redact = (text: string): string => {
    let safe = text;
    for (const secret of secrets) safe = safe.replaceAll(secret, '[secret]');
    return maskPersonal(safe);
  };
  const shape = shapes[format](name);
  const logger = pino<Level>(
    {
      base: null,
      customLevels: LEVELS,
      useOnlyCustomLevels: true,
      // pino writes DEBUG, INFO and ERROR small when they come as an option, and then does not find them among ours.
      level: 'CRITICAL',
      depthLimit: 8,
      timestamp: false,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write(line: string) {
        bar?.clear();
        const { at, level, event_type, message, fields } = JSON.parse(line) as Line;
        // Before the text becomes JSON: a mask that swallowed half an escape would leave a line that does not parse.
        const safe = Object.entries(fields).map(([name, value]) => [name, redacted(value, redact)] as const);
        const text = cut(redact(message), TEXT_BYTES);
        io.stderr.write(shape({ ...Object.fromEntries(safe), at, level, event_type, message: text }));
        bar?.redraw();
      },
    },
  );
  logger.level = level;
  const write =
    (word: Level) =>
    (event: string, message: string, fields: Fields = {}) => {
      const at = io.clock.now();
      logger[word](
        { at, event_type: event, fields: own({ ...permanent, ...fields }) },
        message.replace(LINE_BREAKS, ' '),
      );
    };
  return {
    debug: write('DEBUG'),
    info: write('INFO'),
    warn: write('WARNING'),
    error: write('ERROR'),
    critical: write('CRITICAL'),
    hide(secret) {
      // Very short values would blank out innocent text.
      if (secret.length < 4) return;
      // Longest first, so that a secret which begins with another one leaves nothing behind.
      secrets = [...new Set([...secrets, ...formsOf(secret)])].sort((a, b) => b.length - a.length);
    },
    always(fields) {
      permanent = { ...permanent, ...fields };
    },
    around(next) {
      bar = next;
    },
  };
}

/** What pino is given, and gives to the destination. */
interface Line {
  readonly level: Level;
  readonly at: number;
  readonly event_type: string;
  readonly message: string;
  readonly fields: Fields;
}

interface LineFields {
  readonly level: Level;
  readonly at: number;
  readonly event_type: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

const shapes: Readonly<Record<LogFormat, (name: string) => (line: LineFields) => string>> = {
  json: (name) => {
    return ({ level, at, event_type, message, ...fields }) =>
      `${JSON.stringify({ timestamp: new Date(at).toISOString(), level, logger: name, event_type, message, ...fields })}\n`;
  },
  pretty: (name) => {
    return ({ level, at, message }) => {
      const time = new Date(at).toISOString().slice(11, 19);
      return `${time} ${name} ${level === 'INFO' ? '' : `${level} `}${message.replace(/\p{Cc}/gu, ' ')}\n`;
    };
  },
  'singer-sdk': (name) => {
    return ({ level, at, event_type, message, stream, ...fields }) =>
      `${JSON.stringify({
        level: level.toLowerCase(),
        pid: processId,
        logger_name: name,
        ts: at / 1000,
        thread_name: 'MainThread',
        app_name: name,
        stream_name: stream ?? null,
        message,
        extra: { event_type, ...fields },
      })}\n`;
  },
};
