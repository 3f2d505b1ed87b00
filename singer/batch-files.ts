/** BATCH messages: records that wait in files beside the stream instead of standing in it. */
import { createReadStream } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createGunzip } from 'node:zlib';
import { ConnectorError, systemCode, textOf } from './errors.ts';
import { isObject, type Json, parseLossless, type Row } from './lossless.ts';
import type { BatchMessage } from './messages.ts';
import { LineReader } from './reader.ts';

/** One record of a batch file. */
export interface FiledRecord {
  readonly record: Row;
  /** File and line, for a reader: `line 3 of users.jsonl`. */
  readonly place: string;
  readonly bytes: number;
}

/**
 * The records of all files of a message, in order. Read are JSON lines, plain or gzip, from `file://` addresses and paths.
 * @throws ConnectorError `protocol` for any other format or place, and for a file that is missing, cut off or no JSON.
 */
export async function* batchRecords(message: BatchMessage, line: number): AsyncGenerator<FiledRecord> {
  const { format, compression = 'none' } = message.encoding;
  const refuse = (problem: string, hint: string) =>
    new ConnectorError(
      'protocol',
      `line ${line}: a BATCH of stream "${message.stream}" ${problem}`,
      { stream: message.stream, line },
      { hint },
    );
  if (format !== 'jsonl') {
    throw refuse(`has the format ${shown(format)}, and only jsonl is read`, 'set the format to jsonl in the tap');
  }
  if (compression !== 'none' && compression !== 'gzip') {
    throw refuse(`is compressed with ${shown(compression)}`, 'set the compression to gzip or none in the tap');
  }
  for (const address of message.manifest) {
    const path = pathOf(address);
    if (path === undefined) {
      throw refuse(
        `lies at ${schemeOf(address)}, and only files of this machine are read`,
        'let the tap write its batches to a folder (file://…), or switch them off',
      );
    }
    yield* recordsOf(path, compression === 'gzip', line);
  }
}

function shown(value: Json | undefined): string {
  return typeof value === 'string' ? `"${value}"` : 'that is not named';
}

/** Queries of an address may hold a signature: only its scheme is told. */
function schemeOf(address: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.exec(address)?.[0] ?? 'an address';
}

function pathOf(address: string): string | undefined {
  if (/^file:/i.test(address)) {
    try {
      return fileURLToPath(address);
    } catch {
      return undefined;
    }
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(address)) return undefined;
  return isAbsolute(address) ? address : resolve(address);
}

async function* recordsOf(path: string, gzip: boolean, line: number): AsyncGenerator<FiledRecord> {
  const where = { line, path };
  const file = createReadStream(path, { highWaterMark: 256 * 1024 });
  const reader = new LineReader();
  const place = (number: number) => `line ${number} of ${path}`;
  const one = (text: string, number: number, bytes: number): FiledRecord => {
    let record: Json;
    try {
      record = parseLossless(text);
    } catch (cause) {
      throw new ConnectorError('protocol', `line ${line}: ${place(number)} is not JSON`, where, {
        cause,
        hint: 'the file may be cut off; let the tap write it again',
      });
    }
    if (isObject(record)) return { record, place: place(number), bytes };
    throw new ConnectorError('protocol', `line ${line}: ${place(number)} is not a record`, where);
  };
  try {
    for await (const chunk of gzip ? unzipped(file) : file) {
      for (const { text, number, bytes } of reader.push(chunk)) yield one(text, number, bytes);
    }
    const last = reader.end();
    if (last !== undefined) yield one(last.text, last.number, last.bytes);
  } catch (cause) {
    const code = systemCode(cause);
    if (code === undefined || cause instanceof ConnectorError) throw cause;
    const problem = code.startsWith('Z_') ? 'is not whole gzip' : `cannot be read: ${textOf(cause)}`;
    throw new ConnectorError('protocol', `line ${line}: the batch file ${path} ${problem}`, where, {
      cause,
      hint: 'let the tap write it again, and do not remove it before the load has ended',
    });
  } finally {
    file.destroy();
  }
}

/** A pipe alone would not hand on what goes wrong with the file. */
function unzipped(file: ReturnType<typeof createReadStream>): AsyncIterable<Uint8Array> {
  const unzip = createGunzip();
  file.on('error', (cause) => unzip.destroy(cause));
  return file.pipe(unzip);
}
