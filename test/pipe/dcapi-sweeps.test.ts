import { test } from 'vitest';
import { sweepTwice } from './dcapi-sweeps.ts';

test('111 pages take three runs to 100 %, and a second sweep of an unchanged vendor changes no count', async () => {
  await sweepTwice('s1-dcapi-30', 111, 3);
}, 180_000);
