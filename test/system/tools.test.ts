/** The blocks of docs/ that run in this project skip what their machine lacks; so it must lack nothing. */
import { expect, test } from 'vitest';
import { need, PACKAGES } from './tools.ts';

test.each(Object.keys(PACKAGES))('%s is there', (tool) => {
  expect(() => need(tool)).not.toThrow();
});

test('a missing one is named with its package', () => {
  expect(() => need('no-such-tool')).toThrow('no-such-tool is missing: install the Debian package no-such-tool');
});
