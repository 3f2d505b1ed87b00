import { existsSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseWhole } from '../../http/body.ts';
import { envelopeOf, parseStream } from '../../http/body-stream.ts';
import { Spool } from '../../http/spool.ts';
import { NamelessFile } from '../../singer/nameless-file.ts';
import { ask, clientFor, inTurn } from './replies.ts';
import { memoryRun } from './run.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

async function* pieces(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const copies: Buffer[] = [];
  for await (const chunk of chunks) copies.push(Buffer.from(chunk));
  return Buffer.concat(copies);
}

/** Some larger than what is read back in one go. */
const CHUNK = fc
  .tuple(fc.integer({ min: 0, max: 200_000 }), fc.string({ minLength: 1 }))
  .map(([length, text]) => Buffer.alloc(length, text));

describe('a spool', () => {
  it('gives back what it was given, as often as asked', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(CHUNK, { maxLength: 6 }), async (chunks) => {
        const spool = await Spool.open();
        try {
          const whole = Buffer.concat(chunks);
          expect((await readAll(spool.keeping(pieces(...chunks)))).equals(whole)).toBe(true);
          for (let time = 0; time < 2; time += 1) expect((await readAll(spool.read())).equals(whole)).toBe(true);
        } finally {
          await spool.close();
        }
      }),
      { numRuns: 20 },
    );
  });

  it('has no name while it is there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tapworks-spool-'));
    vi.stubEnv('TMPDIR', folder);
    const spool = await Spool.open();
    try {
      for await (const _ of spool.keeping(pieces(Buffer.from('secret')))) expect(readdirSync(folder)).toEqual([]);
    } finally {
      await spool.close();
      rmSync(folder, { recursive: true });
    }
  });

  it.runIf(existsSync('/dev/full'))('for which the disk has no room says where and what to do', async () => {
    const spool = new Spool(new NamelessFile(openSync('/dev/full', 'r+')));
    await expect(readAll(spool.keeping(pieces(Buffer.from('row'))))).rejects.toMatchObject({
      code: 'destination',
      message: expect.stringMatching(/^a large answer cannot be kept in .*ENOSPC/),
      hint: expect.stringContaining('make room'),
    });
    await spool.close();
  });

  it('that cannot be made says where and what to do', async () => {
    vi.stubEnv('TMPDIR', '/nowhere/at/all');
    await expect(Spool.open()).rejects.toMatchObject({
      code: 'destination',
      message: expect.stringContaining('/nowhere/at/all'),
      hint: expect.stringContaining('TMPDIR'),
    });
  });
});

describe('a large body', () => {
  const rows = Array.from({ length: 2_000 }, (_, id) => ({
    id,
    text: `row ${id} ünïcode`,
    list: [id, { deep: [id] }],
  }));
  const text = JSON.stringify({ total: 2_000, rows, status: 'success' });

  it('has the same envelope whether its rows are built or only checked', async () => {
    const chunks = () => pieces(Buffer.from(text.slice(0, 40_001)), Buffer.from(text.slice(40_001)));
    const checked = await envelopeOf(chunks(), ['rows']);
    const groups = parseStream(chunks(), ['rows']);
    let step = await groups.next();
    while (step.done !== true) step = await groups.next();
    expect(checked).toEqual(step.value);
    expect(checked).toEqual(parseWhole(text, ['rows']).envelope);
  });

  it.each([
    [[['data', 'rows'], ['rows']], '{"rows":[1],"status":"success"}', [1]],
    [[['data', 'rows'], ['rows']], '{"data":{"rows":[2]}}', [2]],
    [[['data', 'rows'], ['rows']], '{"rows":[3],"data":{"rows":[4]}}', [3]],
    [[['data', 'rows'], ['rows']], '{"data":{"rows":[5]},"rows":[6]}', [5]],
    [[['data', 'rows'], ['rows']], '{"data":{"rows":{}},"rows":[7]}', [7]],
  ])('takes the first of several ways to its rows: %j in %s', async (ways, body, expected) => {
    expect(parseWhole(body, ways).rows).toEqual(expected);
    const found: unknown[] = [];
    for await (const group of parseStream(pieces(Buffer.from(body)), ways)) found.push(...group);
    expect(found).toEqual(expected);
    expect(await envelopeOf(pieces(Buffer.from(body)), ways)).toEqual(parseWhole(body, ways).envelope);
  });

  it('whose envelope is refused hands out no row', async () => {
    const server = await inTurn({ body: text });
    const refused = { reaction: 'fail', type: 'contract_error', message: 'no' } as const;
    const http = clientFor(memoryRun(), { smallBody: 0, judge: () => refused });
    const groups = http.exchange({ url: server.url, rows: ['rows'], where: {} });
    await expect(groups.next()).rejects.toMatchObject({ message: 'no' });
  });

  it('for which there is no room ends the run with a reason', async () => {
    const server = await inTurn({ body: text });
    vi.stubEnv('TMPDIR', '/nowhere/at/all');
    await expect(ask(clientFor(memoryRun(), { smallBody: 0 }), server.url)).rejects.toMatchObject({
      code: 'destination',
    });
    expect(server.requests).toHaveLength(1);
  });
});
