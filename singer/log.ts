/** Log lines on stderr: pino underneath, one redactor at the edge, three formats. */
import { pino } from 'pino';
import type { Io } from './io.ts';

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

const EMAIL = /[\w.+-]+@[\w-]+(?:\.[\w-]+)*(\.[A-Za-z]{2,})/g;
const IPV4 = /\b(\d{1,3})\.(\d{1,3})\.\d{1,3}\.\d{1,3}\b/g;

/** Masks e-mail and IP addresses as `***@***.com` and `10.0.***.***`. Loopback stays: it is nobody's and names the simulator. */
export function maskPersonal(text: string): string {
  return text
    .replace(EMAIL, '***@***$1')
    .replace(IPV4, (whole, a: string, b: string) => (a === '127' || whole === '0.0.0.0' ? whole : `${a}.${b}.***.***`));
}

/** At most 1 KB of a response, masked; for logs and gap records. */
export function sampleOf(text: string): string {
  const masked = maskPersonal(text);
  return masked.length > 1024 ? `${masked.slice(0, 1023)}…` : masked;
}

function levelFrom(name: string | undefined): Level {
  const word = (name ?? 'INFO').toUpperCase();
  if (word === 'WARN') return 'WARNING';
  return word in LEVELS ? (word as Level) : 'INFO';
}

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
  const level = levelFrom(options.level ?? io.env[`${upper}_LOGLEVEL`] ?? io.env.LOGLEVEL ?? meltano.level);
  const secrets = new Set<string>();
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
      level,
      timestamp: false,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write(line: string) {
        bar?.clear();
        io.stderr.write(redact(shape(JSON.parse(line) as LineFields)));
        bar?.redraw();
      },
    },
  );
  const write =
    (word: Level) =>
    (event: string, message: string, fields: Fields = {}) => {
      const at = io.clock.now();
      logger[word]({ at, event_type: event, ...permanent, ...fields }, message.replace(/\s*\n\s*/g, ' '));
    };
  return {
    debug: write('DEBUG'),
    info: write('INFO'),
    warn: write('WARNING'),
    error: write('ERROR'),
    critical: write('CRITICAL'),
    hide(secret) {
      // Very short values would blank out innocent text.
      if (secret.length >= 4) {
        secrets.add(secret);
        secrets.add(JSON.stringify(secret).slice(1, -1));
        secrets.add(encodeURIComponent(secret));
      }
    },
    always(fields) {
      permanent = { ...permanent, ...fields };
    },
    around(next) {
      bar = next;
    },
  };
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
      return `${time} ${name} ${level === 'INFO' ? '' : `${level} `}${message}\n`;
    };
  },
  'singer-sdk': (name) => {
    return ({ level, at, event_type, message, stream, ...fields }) =>
      `${JSON.stringify({
        level: level.toLowerCase(),
        pid: process.pid,
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
