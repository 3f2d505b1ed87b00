/** `--config .env`: settings from a file of environment variables, as plants keep them for other extractors. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseEnv } from 'node:util';
import type { Io } from '../../singer/io.ts';

/** `.env`, `plant.env`, `.env.local`. */
const ENVIRONMENT_FILE = /(?:^|\.)env(?:\.[\w-]+)?$/;

/**
 * The outside world with the variables of each environment file that `--config` names, which then stands for `--config
 * ENV`. A variable that is set already keeps its value; of several files the last one wins. A file that cannot be read is
 * left for the settings to complain about.
 */
export function withEnvironmentFiles(io: Io): Io {
  let found: Io['env'] = {};
  const read = (path: string): string => {
    if (!ENVIRONMENT_FILE.test(basename(path))) return path;
    try {
      found = { ...found, ...parseEnv(readFileSync(path, 'utf8')) };
      return 'ENV';
    } catch {
      return path;
    }
  };
  const argv = io.argv.map((word, at) => {
    if (io.argv[at - 1] === '--config' || io.argv[at - 1] === '-c') return read(word);
    return word.startsWith('--config=') ? `--config=${read(word.slice('--config='.length))}` : word;
  });
  return { ...io, argv, env: { ...found, ...io.env } };
}
