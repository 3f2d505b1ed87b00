/** Log lines on stderr: pino underneath, one redactor at the edge, three formats. */
import { pino } from 'pino';
import { type Io, processId } from './io.ts';
import { formsOf, maskPersonal, redacted } from './masking.ts';

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
  /** The text as a line would show it: for what is told elsewhere than in the log. */
  redact(text: string): string;
  /** Fields that every later line carries, e.g. `snapshot_id`. */
  always(fields: Fields): void;
  /** Called before and after each line while a progress bar is on the terminal. */
  around(bar: { clear(): void; redraw(): void } | undefined): void;
}

/** pino's numbers for our words: its own names (`warn`, `fatal`) are not the ones that Singer runners know. */
const LEVELS: Readonly<Record<Level, number>> = { DEBUG: 20, INFO: 30, WARNING: 40, ERROR: 50, CRITICAL: 60 };

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

/** Names of a line itself; a field that bears one would take its place. */
const RESERVED = new Set(['timestamp', 'level', 'logger', 'event_type', 'message', 'at']);

function own(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [RESERVED.has(name) ? `field_${name}` : name, value]),
  );
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
        const { at, level, event_type, message, fields } = JSON.parse(line) as Line;
        // A person who watches the bar sees the same there.
        if (bar !== undefined && format === 'pretty' && event_type === 'extraction_progress') return;
        bar?.clear();
        // Before the text becomes JSON: a mask that swallowed half an escape would leave a line that does not parse.
        const safe = Object.entries(fields).map(([name, value]) => [name, redacted(value, redact)] as const);
        const text = String(redacted(message, redact));
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
    redact,
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
