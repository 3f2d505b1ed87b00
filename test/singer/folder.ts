/** A temporary folder per test file. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

export interface Folder {
  readonly path: string;
  /** The path of a file in the folder. */
  at(name: string): string;
  /** Writes a file (objects as JSON) and returns its path. */
  put(name: string, content: unknown): string;
  read(name: string): string;
}

export function folder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'tapworks-singer-'));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  const at = (name: string) => join(path, name);
  return {
    path,
    at,
    put(name, content) {
      writeFileSync(
        at(name),
        typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content),
      );
      return at(name);
    },
    read: (name) => readFileSync(at(name), 'utf8'),
  };
}
