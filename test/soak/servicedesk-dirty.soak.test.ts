import { expect, test } from 'vitest';
import { folder } from '../singer/folder.ts';
import { proveDirty } from '../taps/servicedesk-dirty.ts';

const SEED = Number(process.env.TAPWORKS_SEED ?? Date.now() % 1_000_000);

const place = folder();

test(`every cell of 260,000 dirty rows (seed ${SEED})`, async () => {
  const proof = await proveDirty(place.path, { rows: 260_000, leaveWal: 5000, seed: SEED });
  process.stdout.write(`servicedesk-dirty ${JSON.stringify(proof)}\n`);
  expect(proof.rows).toBeGreaterThan(260_000);
}, 1_800_000);
