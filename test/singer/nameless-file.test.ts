import { existsSync, mkdtempSync, openSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NamelessFile } from '../../singer/nameless-file.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tapworks-nameless-'));
  vi.stubEnv('TMPDIR', folder);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

async function contentOf(file: NamelessFile): Promise<Buffer> {
  const copies: Buffer[] = [];
  for await (const chunk of file.read()) copies.push(Buffer.from(chunk));
  return Buffer.concat(copies);
}

/** What a link of /proc stands for; the folder was read through a descriptor that is gone by now. */
function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}

/** Some larger than what is read back in one go. */
const CHUNK = fc
  .tuple(fc.integer({ min: 0, max: 200_000 }), fc.string({ minLength: 1 }))
  .map(([length, text]) => Buffer.alloc(length, text));

describe('a file without a name', () => {
  it('gives back what was written, as often as asked', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(CHUNK, { maxLength: 6 }), async (chunks) => {
        const file = NamelessFile.open();
        try {
          for (const chunk of chunks) file.write(chunk);
          for (let time = 0; time < 2; time += 1)
            expect((await contentOf(file)).equals(Buffer.concat(chunks))).toBe(true);
        } finally {
          file.close();
        }
      }),
      { numRuns: 20 },
    );
  });

  it('stands in no folder, from the call that makes it to the one that closes it', async () => {
    const file = NamelessFile.open();
    expect(readdirSync(folder)).toEqual([]);
    file.write(Buffer.from('secret'));
    expect(readdirSync(folder)).toEqual([]);
    expect((await contentOf(file)).toString()).toBe('secret');
    file.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it.runIf(existsSync('/proc/self/fd'))('lies in the temporary folder and is readable by nobody else', () => {
    const file = NamelessFile.open();
    const ours = readdirSync('/proc/self/fd')
      .map((number) => `/proc/self/fd/${number}`)
      .filter((link) => targetOf(link).startsWith(`${folder}/tapworks-`));
    expect(ours.map((link) => statSync(link).mode & 0o777)).toEqual([0o600]);
    file.close();
  });

  it('cannot be made where there is no folder', () => {
    vi.stubEnv('TMPDIR', join(folder, 'missing'));
    expect(() => NamelessFile.open()).toThrow(/ENOENT/);
  });

  it.runIf(existsSync('/dev/full'))('says that the disk is full', () => {
    const file = new NamelessFile(openSync('/dev/full', 'r+'));
    expect(() => file.write(Buffer.from('row'))).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
    file.close();
  });

  it('takes and gives nothing once it is closed, not even through its number, which is given away again', async () => {
    const file = NamelessFile.open();
    file.write(Buffer.from('early'));
    const reading = file.read();
    await reading.next();
    file.close();
    const other = NamelessFile.open();
    file.close();
    expect(() => file.write(Buffer.from('late'))).toThrow(/closed/);
    await expect(reading.next()).rejects.toThrow(/closed/);
    expect((await contentOf(other)).toString()).toBe('');
    other.close();
  });
});
