/** What one case of the tap contract works with: a source of its own, and runs of the tap against it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import type { Json } from '../../../singer/lossless.ts';
import type { Closing, StreamDeclaration, Tap } from '../../../singer/stream.ts';
import { VirtualClock } from '../../http/virtual-clock.ts';
import { type Output, type RunOptions, runOnce } from './outside.ts';

/** `TAPWORKS_HOSTILE=1`: the source sends one byte at a time and the tap streams every body. */
export const HOSTILE = env.TAPWORKS_HOSTILE === '1';

export type Settings = Readonly<Record<string, Json>>;

/** Where the tap reads: a simulator with data that stay as they are. */
export interface Source {
  /** Streams that only the source knows, beside those of the tap. */
  readonly streams?: readonly StreamDeclaration[];
  /** Settings of a run that reads everything, with a checkpoint as often as can be. */
  readonly settings: Settings;
  /** Requests it has seen. */
  requests(): number;
  close(): Promise<void>;
}

/** A tap and what the contract has to know about it. */
export interface TapUnderTest {
  readonly name: string;
  readonly tap: Tap<Closing>;
  /** Starts a source whose time is the clock's; the same every time. In hostile mode with less data. */
  open(clock: VirtualClock): Promise<Source>;
  /** Settings that are wrong in several ways at once, and the names that the one error must give. */
  readonly wrong: { readonly settings: Settings; readonly names: readonly string[] };
  /** A state of this tap that breaks its declaration, and the path that the error must give. */
  readonly misfit: { readonly state: Json; readonly path: string };
  /** Cases that this tap does not meet, with the reason. An excused case must fail. */
  readonly excuses: Readonly<Record<string, string>>;
}

export interface RunRequest extends RunOptions {
  readonly settings?: Settings;
  readonly state?: Json | string;
  readonly catalog?: Json;
  readonly argv?: readonly string[];
}

/** Milliseconds. */
const BETWEEN_RUNS = 900_000;

export class Scene {
  readonly subject: TapUnderTest;
  readonly clock: VirtualClock;
  readonly source: Source;
  readonly folder: string;
  #files = 0;
  #runs = 0;

  private constructor(subject: TapUnderTest, clock: VirtualClock, source: Source, folder: string) {
    this.subject = subject;
    this.clock = clock;
    this.source = source;
    this.folder = folder;
  }

  static async open(subject: TapUnderTest): Promise<Scene> {
    const clock = new VirtualClock();
    const folder = await mkdtemp(join(tmpdir(), 'tapworks-tap-'));
    return new Scene(subject, clock, await subject.open(clock), folder);
  }

  get streams(): readonly StreamDeclaration[] {
    return [...this.subject.tap.streams, ...(this.source.streams ?? [])];
  }

  /** Writes a file and returns its path; text as it is, anything else as JSON. */
  async file(name: string, content: Json | string): Promise<string> {
    this.#files += 1;
    const path = join(this.folder, `${this.#files}-${name}`);
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  }

  async run({ settings = {}, state, catalog, argv = [], ...options }: RunRequest = {}): Promise<Output> {
    // Sources count tokens per time.
    if (this.#runs > 0) this.clock.advance(BETWEEN_RUNS);
    this.#runs += 1;
    const config = await this.file('config.json', { ...this.source.settings, ...settings });
    const files = [
      ...(state === undefined ? [] : ['--state', await this.file('state.json', state)]),
      ...(catalog === undefined ? [] : ['--catalog', await this.file('catalog.json', catalog)]),
    ];
    return runOnce(this.subject.tap, ['--config', config, ...files, ...argv], {
      clock: this.clock,
      ...(HOSTILE && { env: { TAPWORKS_HOSTILE: '1' } }),
      ...options,
    });
  }

  async close(): Promise<void> {
    await this.source.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Cases by name. */
export type Cases = Readonly<Record<string, (scene: Scene) => Promise<void>>>;
