/** The rows of `timesheets`. They cover all departments, so most of them belong to tickets that are not in the file. */
import { shuffled } from '../draw.ts';
import { clockText, DAY, isWeekend, type Period, timeText } from './calendar.ts';
import { AGENTS, agentLogin, agentName, billingKey, CLIENTS, clientName, HOURS } from './population.ts';
import type { Author } from './prose.ts';
import { type CleanRow, streamsOf } from './rows.ts';
import type { Variant } from './schema.ts';
import type { Tickets } from './tickets.ts';

const TITLE = { mean: 3.2, deviation: 0.4 };
const DESCRIPTION = { mean: 4.522, deviation: 0.9 };

/** Below the ids of the tickets in the file: what belongs to other departments. */
const LAST_FOREIGN_ID = 3_599_999;

/** Rows that belong to one ticket follow each other, some of them being admin time instead. */
const ROWS_PER_JOB = 4;
const ADMIN_SHARE = 0.2;
/** Of the distinct ticket ids; the others are orphans. */
const KNOWN_SHARE = 0.093;
/** A known job has a ticket of its own among so many: enough tickets for all, whatever the number of rows. */
const TICKETS_PER_KNOWN_JOB = 3;

/** Work starts at any minute from six in the morning to four in the afternoon; on weekends at every fifth. */
const FIRST_MINUTE = 6 * 60;
const MINUTES = 10 * 60;

/** The starts of one person's entries: each minute of the period once, in a shuffled order, before one comes again. */
class Starts {
  readonly #seed: number;
  readonly #days: readonly (readonly [number, number])[];
  readonly #used = new Map<number, number>();
  readonly #size: number;

  constructor(seed: number, period: Period) {
    this.#seed = seed;
    const days: (readonly [number, number])[] = [];
    let size = 0;
    for (let day = period.firstTimesheet; day < period.asOf; day += DAY) {
      days.push([day, size]);
      size += isWeekend(day) ? MINUTES / 5 : MINUTES;
    }
    this.#days = days;
    this.#size = size;
  }

  /** Day and start in seconds, and whether this person had an entry at that minute before. */
  next(person: number): { readonly day: number; readonly start: number; readonly again: boolean } {
    const before = this.#used.get(person) ?? 0;
    this.#used.set(person, before + 1);
    const slot = shuffled(this.#seed, `starts of ${person}`, before % this.#size, this.#size);
    let low = 0;
    let high = this.#days.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#days[middle]?.[1] ?? 0) <= slot) low = middle;
      else high = middle - 1;
    }
    const [day, first] = this.#days[low] ?? [0, 0];
    const minute = (slot - first) * (isWeekend(day) ? 5 : 1);
    return { day, start: day + (FIRST_MINUTE + minute) * 60, again: before >= this.#size };
  }
}

/** The first `count` timesheets. No two have the same person, day, start and ticket id. A larger file begins with them. */
export function* timesheetRows(
  seed: number,
  count: number,
  tickets: Tickets,
  period: Period,
  author: Author,
  variant: Variant,
): Generator<CleanRow> {
  const of = streamsOf(seed, 'timesheets');
  const starts = new Starts(seed, period);
  let knownJobs = 0;
  let job = -1;
  let jobId = 0;
  for (let row = 0; row < count; row += 1) {
    if (Math.floor(row / ROWS_PER_JOB) !== job) {
      job = Math.floor(row / ROWS_PER_JOB);
      const draw = of('TS-Crm ID · job').at(job);
      if (draw.chance(KNOWN_SHARE)) {
        const ticket = TICKETS_PER_KNOWN_JOB * knownJobs + draw.whole(TICKETS_PER_KNOWN_JOB);
        knownJobs += 1;
        jobId = tickets.facts(ticket % tickets.count).id;
      } else jobId = LAST_FOREIGN_ID - 2 * job - draw.whole(2);
    }
    yield timesheetRow(row, jobId);
  }

  function timesheetRow(at: number, ticketOfJob: number): CleanRow {
    const draw = (column: string) => of(column).at(at);
    const person = draw('TS-User Username').of(AGENTS);
    const { day, start, again } = starts.next(person);
    const ticket = !again && draw('TS-Crm ID').chance(ADMIN_SHARE) ? 0 : ticketOfJob;
    // A start that is missing must not make two entries of admin time alike.
    const hasTimes = ticket === 0 || draw('TS-Time From').chance(1 - 0.01 / (1 - ADMIN_SHARE));
    const hours = draw('TS-Hours').of(HOURS);
    const description = draw('TS-Description');
    const title = draw('TS-Title');
    const account = draw('TS-Account Name');
    const client = account.of(CLIENTS);
    const hasAccount = account.chance(0.97);
    const centre = 1 + draw('TS-Costcentre ID').whole(40);
    return {
      'TS-User Full Name': agentName(person),
      'TS-User Username': agentLogin(person),
      'TS-Title': title.chance(0.0004) ? String(1000 + title.whole(9000)) : author.title(title, TITLE),
      'TS-Description': description.chance(0.519) ? author.text(description, DESCRIPTION) : null,
      'TS-Date': timeText(day),
      'TS-Time From': hasTimes ? clockText(start) : null,
      'TS-Time To': hasTimes ? clockText(start + hours * 3600) : null,
      'TS-Type': draw('TS-Type').pick(['Work', 'Travel', 'Meeting']),
      'TS-Category': draw('TS-Category').pick(['Support', 'Project', 'Internal']),
      'TS-Sub Category':
        variant === 'drift2026' ? draw('TS-Sub Category').pick(['Remote', 'On site', 'After hours']) : null,
      'TS-Category 2': draw('TS-Category 2').chance(0.05) ? 'Overtime' : null,
      'TS-Hours': draw('TS-Hours · filled').chance(0.999) ? hours : null,
      'TS-Crm ID': ticket,
      'TS-Ticket Project Master Code': ticket === 0 ? null : `M${ticket}`,
      'TS-Costcentre ID': centre,
      'TS-Costcentre Desc': `Cost centre ${centre}`,
      'TS-Account Billing': hasAccount && draw('TS-Account Billing').chance(0.6 / 0.97) ? billingKey(client) : null,
      'TS-Account Name': hasAccount ? clientName(client) : null,
      'TS-Account Bill State': hasAccount ? draw('TS-Account Bill State').pick(['Billable', 'Included']) : null,
      'TS-Account Internal': draw('TS-Account Internal').chance(0.1) ? 'Y' : 'N',
      'TS-Ticket Department': draw('TS-Ticket Department').chance(0.9)
        ? `Dept-${draw('TS-Ticket Department').pick(['A', 'B', 'C', 'D', 'E'])}`
        : null,
    };
  }
}
