import { describe, expect, test } from 'vitest';
import { metered, NOWHERE, piped, reportIn, shareFrom } from '../../bench/shell-pipe.ts';
import { hasGnuTime, runToEnd } from '../../bench/trial.ts';
import { folder } from '../singer/folder.ts';

const place = folder();
const script = (source: string) => ({ args: ['-e', source] });
const say = (text: string) => script(`process.stdout.write(${JSON.stringify(text)})`);

describe('commands joined by a shell', () => {
  test('hand on what they write, whatever words they are made of', async () => {
    const { stdout, exitCode } = await runToEnd(piped(say(`it's $HOME; "x"`), { program: 'cat', args: [] }), true);
    expect({ stdout, exitCode }).toEqual({ stdout: `it's $HOME; "x"`, exitCode: 0 });
  });

  test('fail when one that is not the last fails', async () => {
    expect((await runToEnd(piped(script('process.exitCode = 3'), NOWHERE))).exitCode).toBe(3);
  });

  test.runIf(hasGnuTime)('have meters of their own', async () => {
    const [hungry, idle] = [reportIn(place.path, 'hungry'), reportIn(place.path, 'idle')];
    const large = metered(script('Buffer.alloc(150e6, 1)'), hungry);
    await runToEnd(piped(large, metered({ program: 'cat', args: [] }, idle)));
    expect(shareFrom(hungry)?.peak).toBeGreaterThan(150e6);
    expect(shareFrom(idle)?.peak).toBeLessThan(20e6);
    expect(shareFrom(hungry)?.cpu).toBeGreaterThanOrEqual(0);
  });
});
