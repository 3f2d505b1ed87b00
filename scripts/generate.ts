/** Writes `catalog.json` from the stream declarations; with `--check` says whether the file is up to date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { catalogOf } from '../singer/catalog.ts';
import { tap as dcapi } from '../taps/dcapi/tap.ts';
import { tap as plex } from '../taps/plex/tap.ts';
import { tap as pmp } from '../taps/pmp/tap.ts';

const path = new URL('../catalog.json', import.meta.url);
/** Books that taps share stand there once. */
const streams = new Map([...pmp.streams, ...dcapi.streams, ...plex.streams].map((stream) => [stream.name, stream]));
const text = `${JSON.stringify(catalogOf([...streams.values()]), null, 2)}\n`;
if (process.argv.includes('--check')) {
  if (readFileSync(path, 'utf8') !== text) {
    process.stderr.write('catalog.json is stale: run npm run generate\n');
    process.exitCode = 1;
  }
} else writeFileSync(path, text);
