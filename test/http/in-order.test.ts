import { expect, test } from 'vitest';
import { inOrder } from '../../http/in-order.ts';

/** Work that a test ends by hand. */
function byHand() {
  const open = new Map<number, { resolve(value: string): void; reject(error: Error): void }>();
  const work = (item: number) =>
    new Promise<string>((resolve, reject) => {
      open.set(item, { resolve, reject });
    });
  return { open, work };
}

test('results come in the order of the items, whatever ends first', async () => {
  const { open, work } = byHand();
  const results = inOrder([1, 2, 3], 3, work);
  const first = results.next();
  open.get(3)?.resolve('three');
  open.get(2)?.resolve('two');
  open.get(1)?.resolve('one');
  expect([await first, await results.next(), await results.next()].map(({ value }) => value)).toEqual([
    'one',
    'two',
    'three',
  ]);
  expect((await results.next()).done).toBe(true);
});

test('no more than so many at a time', async () => {
  const { open, work } = byHand();
  const results = inOrder([1, 2, 3, 4], 2, work);
  const first = results.next();
  expect([...open.keys()]).toEqual([1, 2]);
  open.get(1)?.resolve('one');
  await first;
  expect([...open.keys()]).toEqual([1, 2, 3]);
  open.get(2)?.resolve('two');
  open.get(3)?.resolve('three');
  await results.return(undefined);
});

test('a failure is thrown at its place; what runs beside it is let go', async () => {
  const { open, work } = byHand();
  const results = inOrder([1, 2], 2, work);
  const first = results.next();
  open.get(2)?.reject(new Error('two failed'));
  open.get(1)?.resolve('one');
  expect((await first).value).toBe('one');
  await expect(results.next()).rejects.toThrow('two failed');
});
