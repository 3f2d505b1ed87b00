import { test } from 'vitest';
import { sweepTwice } from '../pipe/dcapi-sweeps.ts';

test('664 pages take 14 runs to 100 %, and a second sweep of an unchanged vendor changes no count', async () => {
  await sweepTwice('s1-dcapi-5', 664, 14);
}, 1_800_000);
