/** The rows of `tickets`, each from its index alone, and the facts about them that other tables need. */
import { DAY, dayText, isWeekend, monthText, type Period, timeText } from './calendar.ts';
import {
  AGENTS,
  ALERT_TITLES,
  agentId,
  agentName,
  billingKey,
  CATEGORIES,
  CLIENTS,
  clientId,
  clientName,
  END_USERS,
  endUserName,
  HOURS_OF_DAY,
  ROBOT,
  ROOT_CAUSES,
  SEVERITIES,
  STATUSES,
  TEAMS,
} from './population.ts';
import type { Author } from './prose.ts';
import { type Clean, type CleanRow, type Streams, streamsOf } from './rows.ts';
import { Substream, Weighted } from './substream.ts';

const FIRST_ID = 3_600_000;
const MEAN_GAP = 7;

const TITLE = { mean: 3.898, deviation: 0.6 };
const DESCRIPTION = { mean: 6.644, deviation: 1 };
const SOLUTION = { mean: 3.612, deviation: 0.8 };

/** From creation to the last change: 3.5 days on average. */
const LIFE = { mean: Math.log(3.5 * DAY) - 1.3 ** 2 / 2, deviation: 1.3 };
const SHORTEST_LIFE = 900;

/** Rows that share their title with an earlier one, beside alerts of a template: so 65.7 % of the titles are distinct. */
const REPEATED_TITLES = 0.279;
const TEMPLATE_ALERTS = 0.24;

const wholeMinute = (seconds: number) => Math.floor(seconds / 60) * 60;
const yesNo = (yes: boolean) => (yes ? 'yes' : 'no');

/** What comments and timesheets know of a ticket. Times are seconds as in calendar.ts. */
export interface TicketFacts {
  readonly id: number;
  readonly created: number;
  readonly modified: number;
  readonly team: string;
}

export class Tickets {
  readonly count: number;
  readonly #ids: Int32Array;
  readonly #period: Period;
  readonly #author: Author;
  readonly #of: Streams;
  readonly #days: Weighted<number>;

  constructor(seed: number, count: number, period: Period, author: Author) {
    this.count = count;
    this.#period = period;
    this.#author = author;
    this.#of = streamsOf(seed, 'tickets');
    const gaps = this.#of('TKT-Ticket ID');
    this.#ids = new Int32Array(count);
    let id = FIRST_ID;
    for (let row = 0; row < count; row += 1) {
      id += 1 + gaps.at(row).geometric(MEAN_GAP - 1);
      this.#ids[row] = id;
    }
    this.#days = new Weighted(workdays(period.firstTicket, period.endOfTickets));
  }

  /** @param row from 0 to `count` - 1. */
  facts(row: number): TicketFacts {
    const start = this.#of('TKT-Created Time').at(row);
    const created = start.of(this.#days) + start.of(HOURS_OF_DAY) * 3600 + start.whole(60) * 60;
    const end = this.#of('TKT-Modified Time').at(row);
    const later = created + Math.max(SHORTEST_LIFE, end.logNormal(LIFE.mean, LIFE.deviation, 400 * DAY));
    return {
      id: this.#ids[row] ?? 0,
      created,
      // What would change after the file was taken has last changed on the day before.
      modified: later < this.#period.asOf ? later : this.#period.asOf - 1 - end.whole(DAY),
      team: this.#of('TKT-Team').at(row).of(TEAMS),
    };
  }

  /** The row as the table holds it, by column. */
  row(row: number): CleanRow {
    const { id, created, modified, team } = this.facts(row);
    const draw = (column: string) => this.#of(column).at(row);
    /** The value in this share of the rows, else NULL. */
    const filled = <T extends Clean>(column: string, share: number, value: (stream: Substream) => T): T | null => {
      const stream = draw(column);
      return stream.chance(share) ? value(stream) : null;
    };
    const status = draw('TKT-Status').of(STATUSES);
    const isOpen = status !== 'Closed' && status !== 'Incident Resolved';
    const after = (column: string, from: number, span: number, share: number) =>
      filled(column, share, (stream) => wholeMinute(created + (modified - created) * (from + span * stream.next())));
    const response = after('TKT-Actual Response Date', 0, 0.1, 0.63);
    const resolution = isOpen ? null : after('TKT-Actual Resolution Date', 0.1, 0.6, 0.5425);
    const closure = status === 'Closed' ? after('TKT-Closure Date', 0.7, 0.2, 1) : null;
    const slaClosure = closure === null ? null : filled('TKT-SLA Closure Date', 0.96, () => closure);
    const client = filled('TKT-Account Id', 0.97, (stream) => stream.of(CLIENTS));
    const tier = filled('TKT-SLA', 0.68, (stream) => stream.pick(['Silver 8x5', 'Gold 24x7', 'Bronze 8x5']));
    const withTier = <T extends Clean>(value: () => T) => (tier === null ? null : value());
    const slaMet = filled('TKT-SLA Met', 0.94, (stream) => yesNo(stream.chance(0.95)));
    const assigned = filled('TKT-Assigned To Userid', 0.98, (stream) =>
      isOpen && stream.chance(0.5) ? 0 : stream.of(AGENTS),
    );
    const creator = filled('TKT-Created By Userid', 0.99, (stream) => (stream.chance(0.4) ? 0 : stream.of(AGENTS)));
    const monthBefore = monthText(this.#period.asOf - Number(dayText(this.#period.asOf).slice(8)) * DAY);

    return {
      'TKT-Ticket ID': id,
      'TKT-Parent ID': Substream.oneIn(45, row, this.#of('TKT-Parent ID'))
        ? (this.#ids[row - 1 - draw('TKT-Parent ID').whole(200)] ?? FIRST_ID - 1 - row)
        : null,
      'TKT-Customer Reference': filled('TKT-Customer Reference', 0.15, (stream) =>
        stream.chance(0.1) ? '' : `REQ-${String(stream.whole(100_000)).padStart(5, '0')}`,
      ),
      'TKT-Created Time': timeText(created),
      'TKT-Month Created': monthText(created),
      'TKT-SLA': tier,
      'TKT-Account Id': client === null ? null : clientId(client),
      'TKT-Account Name': client === null ? null : clientName(client),
      'TKT-Site Classification': filled('TKT-Site Classification', 0.6, (stream) =>
        stream.pick(['Standard', 'Remote', 'Head office']),
      ),
      'TKT-Site Status': filled('TKT-Site Status', 0.6, (stream) => (stream.chance(0.95) ? 'Active' : 'Inactive')),
      'TKT-Billing Key': client === null ? null : filled('TKT-Billing Key', 0.6 / 0.97, () => billingKey(client)),
      'TKT-Title': this.#title(row),
      'TKT-Description': filled('TKT-Description', 0.9998, (stream) =>
        this.#author.mail(this.#author.text(stream, DESCRIPTION)),
      ),
      'TKT-Severity': draw('TKT-Severity').of(SEVERITIES),
      'TKT-Status': status,
      'TKT-Assigned To Userid': assigned === null ? null : assigned === 0 ? 0 : agentId(assigned),
      // The source itself writes the blank in front.
      'TKT-Assigned To User': assigned === null ? null : assigned === 0 ? ' PendingAssignment' : agentName(assigned),
      'TKT-Job#/Ref#': filled('TKT-Job#/Ref#', 0.13, (stream) => `J-${1000 + stream.whole(9000)}`),
      'TKT-Team': team,
      'TKT-Modified Time': timeText(modified),
      'TKT-Category': this.#category(row),
      'TKT-Resolution/Change Type': filled('TKT-Resolution/Change Type', 0.83, (stream) =>
        stream.pick(['Configuration', 'Replacement', 'Information', 'Restart', 'Access']),
      ),
      'TKT-Root Cause Category': filled('TKT-Root Cause Category', 0.97, (stream) => stream.of(ROOT_CAUSES)),
      'TKT-Created By Userid': creator === null ? null : creator === 0 ? 1 : agentId(creator),
      'TKT-Created By User': creator === null ? null : creator === 0 ? ROBOT : agentName(creator),
      'TKT-Client Name': filled('TKT-Client Name', 0.85, (stream) => endUserName(stream.of(END_USERS))),
      'TKT-Ticket Source': filled('TKT-Ticket Source', 0.99, (stream) =>
        stream.pick(['email', 'portal', 'phone', 'monitor']),
      ),
      'TKT-Related CI Ref#': filled('TKT-Related CI Ref#', 0.0005, (stream) => 500_000 + stream.whole(1000)),
      'TKT-Related CI': filled('TKT-Related CI', 0.0005, (stream) => `CI-${stream.whole(1000)}`),
      'TKT-Actual Response Date': response === null ? null : timeText(response),
      'TKT-Actual Resolution Date': resolution === null ? null : timeText(resolution),
      'TKT-Response Met': withTier(() => yesNo(draw('TKT-Response Met').chance(0.97))),
      'TKT-Resolution Met': withTier(() =>
        filled('TKT-Resolution Met', 0.55 / 0.68, (stream) => yesNo(stream.chance(0.95))),
      ),
      'TKT-SLA Met': slaMet,
      'TKT-SLA Exempt': filled('TKT-SLA Exempt', 0.6, (stream) => yesNo(stream.chance(0.04))),
      'TKT-Mitigated Reason': filled('TKT-Mitigated Reason', 0.02, (stream) =>
        stream.pick(['Vendor delay', 'Client delay']),
      ),
      'TKT-SLA Clock Status': withTier(() => (isOpen ? 'Running' : 'Stopped')),
      'TKT-SLA Breach Reason': filled('TKT-SLA Breach Reason', 0.05, (stream) =>
        stream.pick(['Backlog', 'Parts', 'Vendor']),
      ),
      'TKT-SLA Breach Comment': filled('TKT-SLA Breach Comment', 0.021, (stream) =>
        this.#author.title(stream, SOLUTION),
      ),
      'TKT-QA Review Completed': filled('TKT-QA Review Completed', 0.1, (stream) => yesNo(stream.chance(0.3))),
      'TKT-Closure Date': closure === null ? null : timeText(closure),
      'TKT-Month Closed': closure === null ? null : monthText(closure),
      'TKT-Solution': filled('TKT-Solution', 0.978, (stream) => this.#author.text(stream, SOLUTION)),
      'TKT-SLA Closure Date': slaClosure === null ? null : timeText(slaClosure),
      'TKT-SLA Month Closed': slaClosure === null ? null : monthText(slaClosure),
      'TKT-SLA Closed - This Month':
        slaClosure === null ? null : yesNo(monthText(slaClosure) === monthText(this.#period.asOf)),
      'TKT-SLA Closed - Last Month': slaClosure === null ? null : yesNo(monthText(slaClosure) === monthBefore),
      'TKT-Actual SLA Achievement': withTier(() => (slaMet === 'no' ? 'Breached' : 'Met')),
      ...this.#change(row, created),
      'TKT-Is Template': yesNo(draw('TKT-Is Template').chance(0.01)),
      'TKT-Platform': filled('TKT-Platform', 0.4, (stream) => stream.pick(['Cloud', 'On premises', 'Hybrid'])),
      'TKT-Group': filled('TKT-Group', 0.4, (stream) => `Group-${stream.pick(['A', 'B', 'C', 'D'])}`),
    };
  }

  /** The columns of a change, which one ticket in 125 is. */
  #change(row: number, created: number): CleanRow {
    const draw = (column: string) => this.#of(column).at(row);
    const isChange = Substream.oneIn(125, row, this.#of('Chg-Type'));
    const isDone = isChange && draw('Chg-Actual Start Date').chance(0.75);
    const evening = (Math.floor(created / DAY) + 3) * DAY + 20 * 3600;
    const ready = evening + 900 * (1 + draw('Chg-Planned End Date').whole(12));
    const started = evening + 60 * draw('Chg-Actual Start Date').whole(15);
    const done = ready + 60 * draw('Chg-Actual End Date').whole(30);
    return {
      'Chg-Risk': isChange ? draw('Chg-Risk').pick(['Low', 'Medium', 'High']) : null,
      'Chg-Trigger': isChange ? draw('Chg-Trigger').pick(['Planned', 'Unplanned']) : null,
      'Chg-Type': isChange ? draw('Chg-Type').pick(['Normal', 'Standard', 'Emergency']) : null,
      'Chg-Planned Start Date': isChange ? timeText(evening) : null,
      'Chg-Planned End Date': isChange ? timeText(ready) : null,
      'Chg-Actual Start Date': isDone ? timeText(started) : null,
      'Chg-Actual End Date': isDone ? timeText(done) : null,
      'Chg-Approver': isDone ? agentName(draw('Chg-Approver').of(AGENTS)) : null,
      'Chg-Success': isDone ? yesNo(draw('Chg-Success').chance(0.95)) : null,
    };
  }

  #category(row: number): string {
    return this.#of('TKT-Category').at(row).of(CATEGORIES);
  }

  /** Whether the title is one of the templates, the title of an earlier row, or the row's own. */
  #titleKind(row: number): 'template' | 'repeated' | 'own' {
    const isAlert = this.#category(row) === 'Alert';
    const stream = this.#of('TKT-Title').at(row);
    if (stream.chance(TEMPLATE_ALERTS) && isAlert) return 'template';
    return row > 0 && stream.chance(REPEATED_TITLES) ? 'repeated' : 'own';
  }

  #title(row: number): string {
    const kind = this.#titleKind(row);
    const stream = this.#of('TKT-Title · text').at(row);
    if (kind === 'template') return stream.pick(ALERT_TITLES);
    let source = kind === 'own' ? row : stream.whole(row);
    while (source > 0 && this.#titleKind(source) !== 'own') source -= 1;
    return this.#author.title(this.#of('TKT-Title · words').at(source), TITLE);
  }
}

/** The days from `first` to the one before `end`, workdays five times as heavy. */
export function* workdays(first: number, end: number): Generator<readonly [number, number]> {
  for (let day = first; day < end; day += DAY) yield [day, isWeekend(day) ? 1 : 5];
}
