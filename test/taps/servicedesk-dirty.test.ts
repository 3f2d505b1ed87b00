import { expect, test } from 'vitest';
import { folder } from '../singer/folder.ts';
import { Export } from './servicedesk.ts';
import { marks, proveDirty } from './servicedesk-dirty.ts';

const place = folder();

/** A file of this size would hold one or two each. */
const MORE = new Map(
  Object.entries({
    D04: 8,
    D06: 6,
    D19: 4,
    D20: 20,
    D21: 10,
    D23: 8,
    D24: 8,
    D26: 4,
    D27: 15,
    D28: 6,
    D29: 6,
    D34: 6,
    D35: 8,
  }).map(([id, count]) => [id, { count }]),
);

test('every cell of a dirty file is loaded as the manifest says or set aside for its reason, and no other cell changes', async () => {
  const { rows, cells, rejects } = await proveDirty(place.path, { rows: 8000, defects: MORE });
  expect(rows).toBeGreaterThan(8000);
  expect(cells).toBeGreaterThan(200);
  expect(rejects).toBeGreaterThan(40);
});

test('what stands in the write-ahead log alone is read, and the log keeps every byte', async () => {
  const { rows } = await proveDirty(place.path, { rows: 2000, leaveWal: 150, seed: 2 });
  expect(rows).toBeGreaterThan(2000);
  expect(marks(new Export(place.path, 'dirty-2000-150.db').path)).toHaveLength(2);
});
