import { test } from 'vitest';
import { folder } from '../singer/folder.ts';
import { LABELS, proveTables, proveValues } from './servicedesk-quick.ts';

const place = folder();

test.each(LABELS)('every value in a column labelled "%s" is the same on both ways', (label) =>
  proveValues(place.path, label),
);

test('tables of any kind are the same on both ways', () => proveTables(place.path, 40, 20_260_301));
