/** What a run tells to Slack: when it begins, how far it is, what fails, how it ends. Nothing when there is no channel. */
import type { SlackChannel } from '../../http/slack.ts';
import { maskPersonal } from '../../singer/masking.ts';

/** How far the sweep of the measured stream is. `total` is null until the server has said it; `percent` is 0 to 100. */
export interface Position {
  readonly total: number | null;
  readonly distinct: number;
  readonly percent: number;
  /** Patches of these systems, where they come with them. */
  readonly patches?: number;
}

/** A sweep tells when it has passed these, each once however many runs it takes. Percent. */
const MILESTONES = [25, 50, 75];

/** Numbers of pages that a message lists before it only counts them. */
const LISTED = 20;

/** Longest text of a failure in a message. Characters. */
const LONGEST_REASON = 300;

/** A dotted name, or any name with a port: what tells outsiders where a server stands. */
const HOST = /(?<![\w.-])(?:[A-Za-z\d-]+\.)+[a-z][a-z\d-]+(?::\d+)?(?![\w-])|(?<![\w.-])[a-z][a-z\d-]*:\d{2,5}(?!\w)/g;

/** Tells the events of one run of a tap. Texts use Slack's `*bold*` and carry no addresses and no host names. */
export class Notices {
  readonly #name: string;
  readonly #noun: string;
  readonly #channel: SlackChannel | undefined;
  readonly #hosts: readonly string[];
  #passed = 0;
  #known = false;
  #over = false;

  /**
   * `name` is the tap's, `noun` what its measured stream counts ("systems"). `hosts` are names of servers that no text
   * may repeat; names with a dot or a port are found without it.
   */
  constructor(name: string, noun: string, channel: SlackChannel | undefined, hosts: readonly string[] = []) {
    this.#name = name;
    this.#noun = noun;
    this.#channel = channel;
    this.#hosts = hosts.filter((host) => host !== '');
  }

  /**
   * Reading begins. `target` is the coverage asked for, 0 to 1; the position is where earlier runs left the sweep, and
   * `targetMet` says that one of them met the target, so that it is not told a second time.
   */
  started({
    total,
    distinct,
    percent,
    target,
    targetMet = false,
  }: Position & { readonly target: number; readonly targetMet?: boolean }): void {
    this.#passed = percent;
    this.#known = targetMet;
    const share = percentText(target * 100);
    const aim =
      total === null
        ? `${share} of all ${this.#noun}, their number is not known yet`
        : `${grouped(total)} ${this.#noun}, ${share}`;
    const done = distinct === 0 ? '' : `; ${grouped(distinct)} so far, ${percentText(percent)}`;
    this.#say(`🔄 *${this.#name}* extraction started (target: ${aim}${done})`);
  }

  /** A checkpoint was written. Told when it passes a milestone; of several at once as one. `etaMinutes` is for the rest of the sweep. */
  checkpoint({
    page,
    pages,
    gaps,
    etaMinutes,
    ...position
  }: Position & {
    readonly page: number;
    readonly pages: number;
    readonly gaps: readonly number[];
    readonly etaMinutes: number;
  }): void {
    const { distinct, total, percent, patches } = position;
    const milestone = MILESTONES.some((mark) => this.#passed < mark && mark <= percent);
    this.#passed = Math.max(this.#passed, percent);
    // At 100 the end of the batch says it all.
    if (!milestone || percent === 100) return;
    this.#say(
      [
        `*${this.#name} extraction progress*`,
        `- Page: ${grouped(page)}/${grouped(pages)}`,
        `- ${capitalised(this.#noun)}: ${of(distinct, total)} (${percentText(percent)})`,
        ...(patches === undefined ? [] : [`- Patches: ${grouped(patches)}`]),
        `- Errors: ${missing(gaps)}`,
        `- ETA: ${minutesText(etaMinutes)}`,
      ].join('\n'),
    );
  }

  /** A page stayed unreadable after `attempts` requests; `message` is the last failure. */
  gap({
    stream,
    page,
    attempts,
    message,
  }: {
    readonly stream: string;
    readonly page: number;
    readonly attempts: number;
    readonly message: string;
  }): void {
    const times = attempts === 1 ? '1 attempt' : `${attempts} attempts`;
    this.#say(`⚠️ *${this.#name}* ${stream}: page ${page} failed after ${times} (${this.#safe(message)})`);
  }

  /** A stream could not be read, or, without `stream`, the run failed. `reason` is the failure's line. */
  failed({ stream, reason }: { readonly stream?: string; readonly reason: string }): void {
    // A run fails once, whoever notices.
    if (stream === undefined && this.#over) return;
    this.#over = stream === undefined;
    const what = stream === undefined ? 'failed' : `stream ${stream} could not be read`;
    this.#say(`❌ *${this.#name}* ${what}: ${this.#safe(reason)}`);
  }

  /**
   * The run ended in order. `newRows` and `newPatches` count what the sweep gained in this run, `gaps` are its missing
   * pages. A run that had nothing to ask for says nothing.
   */
  ended({
    targetMet,
    finished,
    gaps,
    requests,
    newRows,
    newPatches,
    ...position
  }: Position & {
    readonly targetMet: boolean;
    readonly finished: boolean;
    readonly gaps: readonly number[];
    readonly requests: number;
    readonly newRows: number;
    readonly newPatches?: number;
  }): void {
    if (requests === 0) return;
    const { distinct, total, percent } = position;
    const share = `${of(distinct, total)} ${this.#noun} (${percentText(percent)})`;
    const asked = requests === 1 ? '1 request' : `${grouped(requests)} requests`;
    const patches = newPatches === undefined ? '' : `, ${grouped(newPatches)} patches`;
    const open = gaps.length === 0 ? '' : `; missing pages: ${missing(gaps)}`;
    const lines = [
      `✅ *${this.#name}* batch complete: ${grouped(newRows)} ${this.#noun} extracted (${percentText(percent)} total coverage${patches}, ${asked})${open}`,
    ];
    if (targetMet && !this.#known) lines.push(`🎉 *${this.#name}* extraction complete: ${share}`);
    if (finished && !targetMet) lines.push(`⚠️ *${this.#name}* reached the last page below its target: ${share}`);
    this.#say(lines.join('\n'));
  }

  /** Lets the last text leave, at most 5 seconds. */
  async close(): Promise<void> {
    await this.#channel?.close();
  }

  #say(text: string): void {
    this.#channel?.say(text);
  }

  #safe(reason: string): string {
    let text = reason.replace(/\s+/g, ' ');
    for (const host of this.#hosts) text = text.replaceAll(host, '[host]');
    text = maskPersonal(text).replace(HOST, '[host]');
    return text.length > LONGEST_REASON ? `${text.slice(0, LONGEST_REASON).toWellFormed()}…` : text;
  }
}

/** `3317` as `3,317`. */
function grouped(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `3,150/3,317`. */
function of(distinct: number, total: number | null): string {
  return `${grouped(distinct)}/${total === null ? '?' : grouped(total)}`;
}

/** One digit, as everywhere where coverage is told. */
function percentText(percent: number): string {
  return `${Math.round(percent * 10) / 10}%`;
}

function capitalised(noun: string): string {
  return noun.charAt(0).toUpperCase() + noun.slice(1);
}

/** `2 (pages 15, 23)`. */
function missing(pages: readonly number[]): string {
  if (pages.length === 0) return '0';
  const more = pages.length > LISTED ? ' and more' : '';
  return `${pages.length} (${pages.length === 1 ? 'page' : 'pages'} ${pages.slice(0, LISTED).join(', ')}${more})`;
}

function minutesText(minutes: number): string {
  const whole = Math.ceil(minutes);
  return `${grouped(whole)} ${whole === 1 ? 'minute' : 'minutes'}`;
}
