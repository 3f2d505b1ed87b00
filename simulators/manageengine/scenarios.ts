import type { Rule } from './actions.ts';
import { profileSizes } from './dataset.ts';
import type { Flavour } from './flavours.ts';
import type { Settings } from './settings.ts';

/** A named course of events: settings that differ from the defaults, and fault rules. */
export interface Scenario {
  /** `cloud` when absent. */
  readonly flavour?: Flavour;
  /** The profile that the scenario is about; `small` when absent. */
  readonly profile?: 'full';
  readonly settings: Partial<Settings>;
  readonly rules: readonly Rule[];
}

/** What a scenario scales with. Pages are pages of 25, those of DCAPI of 30. */
interface Scale {
  readonly pages: number;
  /** Pages of one run: 50 in profile full, 3 in small. */
  readonly batch: number;
  /** A count given for profile full. */
  readonly part: (count: number) => number;
}

/** The lists of systems that a tap's coverage is measured on. */
const SYSTEMS = '/(scandetails|systemreport/patches)$';
const GAPS = 17;
const UNREADABLE_MS = 30 * 60_000;
const OUTAGE_SECONDS = 600;
const SHARE = 0.03;
/** From the third attempt on nothing transient happens, so three attempts always suffice. */
const TWICE = { probability: SHARE, attempts: 2 } as const;
/** Twice in a row these would rightly end a run. */
const ONCE = { probability: SHARE, attempts: 1 } as const;

/** Pages spread over the sweep that cannot be read for half a virtual hour after the first try. */
function unreadablePages({ pages, part }: Scale): Rule[] {
  const count = part(GAPS);
  return Array.from({ length: count }, (_, at): Rule => {
    const page = Math.floor(((at + 0.5) * pages) / count) + 1;
    return {
      id: `gap-${page}`,
      match: { path: '/scandetails$', pages: [page, page], for_ms: UNREADABLE_MS },
      action: { type: at % 2 === 0 ? 'truncatedJson' : 'burst503' },
    };
  });
}

function resilient(scale: Scale): Scenario {
  return {
    settings: { expires_in: 60 },
    rules: [
      ...unreadablePages(scale),
      { id: 'server', match: { probability: 0.02 }, action: { type: 'burst503' } },
      { id: 'html', match: { probability: 0.01 }, action: { type: 'htmlThrottle' } },
    ],
  };
}

function hostile(): Scenario {
  return {
    settings: {},
    rules: [
      { id: 'expireToken', match: ONCE, action: { type: 'expireToken' } },
      { id: 'htmlLogin', match: ONCE, action: { type: 'htmlLogin' } },
      { id: 'hang', match: ONCE, action: { type: 'hang' } },
      { id: 'rate429', match: TWICE, action: { type: 'rate429', seconds: 1 } },
      { id: 'htmlThrottle', match: TWICE, action: { type: 'htmlThrottle' } },
      { id: 'emptyBody', match: TWICE, action: { type: 'emptyBody' } },
      { id: 'truncatedJson', match: TWICE, action: { type: 'truncatedJson' } },
      { id: 'burst503', match: TWICE, action: { type: 'burst503' } },
      { id: 'reset', match: TWICE, action: { type: 'reset' } },
      { id: 'slow', match: TWICE, action: { type: 'slow', ms: 300 } },
      { id: 'wrongLimit', match: TWICE, action: { type: 'wrongLimit' } },
      { id: 'duplicates', match: ONCE, action: { type: 'duplicateAcrossPages', count: 3 } },
      { id: 'moves', match: ONCE, action: { type: 'moveSystem' } },
      { id: 'token500', match: { path: '^/oauth/', probability: SHARE, attempts: 2 }, action: { type: 'error500' } },
    ],
  };
}

/** Systems leave at the end of the first run and again during the second, of either tap. */
function shrinking({ batch, part }: Scale): Scenario {
  const leave = (page: number, count: number): Rule => ({
    id: `shrink-after-${page}`,
    match: { path: SYSTEMS, pages: [page, page], nth: 1 },
    action: { type: 'shrinkTotal', count: part(count) },
  });
  return { settings: {}, rules: [leave(batch, 40), leave(2 * batch, 20)] };
}

/** The whole API is away for ten virtual minutes from the first page of the second run on. */
function outage({ batch }: Scale): Scenario {
  const match = { path: SYSTEMS, pages: [batch + 1, Number.MAX_SAFE_INTEGER], nth: 1 } as const;
  return {
    settings: {},
    rules: [{ id: 'outage', match, action: { type: 'burst503', seconds: OUTAGE_SECONDS } }],
  };
}

const SCENARIOS: Readonly<Record<string, (scale: Scale) => Scenario>> = {
  happy: () => ({ settings: {}, rules: [] }),
  's0-resilient': resilient,
  hostile,
  precision: () => ({ settings: { id_mode: 'us' }, rules: [] }),
  'two-runs-shrink': shrinking,
  outage,
  'token-60s': () => ({ settings: { expires_in: 60 }, rules: [] }),
  onprem: () => ({ flavour: 'onprem', settings: {}, rules: [] }),
  msp: () => ({ flavour: 'msp', settings: {}, rules: [] }),
  'no-vuln-module': () => ({ settings: { seed_paths: '10022', vuln: '10022' }, rules: [] }),
  'seed-paths': () => ({ settings: { seed_paths: 'shape' }, rules: [] }),
  's1-dcapi-30': () => ({ profile: 'full', settings: { expires_in: 60 }, rules: [] }),
  's1-dcapi-5': () => ({ profile: 'full', settings: { expires_in: 60, dcapi_page_size_default: 5 }, rules: [] }),
  'zero-patches': () => ({ settings: { dcapi_rows: 'field' }, rules: [] }),
};

/** Names that `--scenario` takes. */
export const SCENARIO_NAMES: readonly string[] = Object.keys(SCENARIOS);

/** The profile of a scenario where nobody names another. @throws Error that lists the known names. */
export function profileOf(name: string): string {
  return scenarioFor(name, 'small').profile ?? 'small';
}

/** @throws Error that lists the known names. */
export function scenarioFor(name: string, profile: string): Scenario {
  const make = SCENARIOS[name];
  if (!make) throw new Error(`unknown scenario "${name}"; known scenarios: ${SCENARIO_NAMES.join(', ')}`);
  const [start, end] = profileSizes(profile).scanWindow;
  const divisor = profile === 'full' ? 1 : 20;
  return make({
    pages: Math.ceil((end - start) / 25),
    batch: Math.round(50 / divisor + 0.1),
    part: (count) => Math.max(1, Math.round(count / divisor)),
  });
}
