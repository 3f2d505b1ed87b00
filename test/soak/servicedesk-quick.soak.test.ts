import { test } from 'vitest';
import { folder } from '../singer/folder.ts';
import { ALL_LABELS, proveTables, proveValues } from '../taps/servicedesk-quick.ts';

const RUNS = Number(process.env.TAPWORKS_RUNS ?? 3000);
const SEED = Number(process.env.TAPWORKS_SEED ?? Date.now() % 1_000_000);

const place = folder();

test.each(ALL_LABELS)('every value in a column labelled "%s" is the same on both ways', (label) =>
  proveValues(place.path, label),
);

test(`${RUNS} tables of any kind are the same on both ways (seed ${SEED})`, async () => {
  process.stdout.write(`servicedesk-quick ${JSON.stringify({ runs: RUNS, seed: SEED })}\n`);
  await proveTables(place.path, RUNS, SEED);
}, 1_800_000);
