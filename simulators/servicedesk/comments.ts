/** The rows of `comments`, ticket by ticket, and those of `comment_quality`, which rates some of them. */
import { DAY, type Period, secondsOf, timeText } from './calendar.ts';
import { AGENTS, agentId, agentLogin, END_USERS, endUserId, endUserLogin, ROBOT } from './population.ts';
import type { Author } from './prose.ts';
import { type CleanRow, streamsOf } from './rows.ts';
import type { Substream } from './substream.ts';
import type { TicketFacts, Tickets } from './tickets.ts';

const FIRST_ID = 9_000_000;

const TEXT = { mean: 5.692, deviation: 1.2 };
const SUMMARY = { mean: 3.4, deviation: 0.3 };

/** Comments of a ticket: one, and twice a geometric number; 9.885 on average. */
const MEAN_OF_GEOMETRIC = (9.885 - 1) / 2;

interface Writer {
  readonly id: string | null;
  readonly name: string | null;
  readonly owner: string;
  readonly type: string;
}

function writerOf(stream: Substream): Writer {
  if (stream.chance(0.01)) return { id: null, name: null, owner: 'agent', type: 'comments' };
  if (stream.chance(0.61 / 0.99)) return { id: '1', name: ROBOT, owner: 'system', type: 'system' };
  if (stream.chance(0.8)) {
    const rank = stream.of(AGENTS);
    const type = stream.chance(0.6) ? 'comments' : 'worknotes';
    return { id: String(agentId(rank)), name: agentLogin(rank), owner: 'agent', type };
  }
  const rank = stream.of(END_USERS);
  return { id: String(endUserId(rank)), name: endUserLogin(rank), owner: 'customer', type: 'comments' };
}

/**
 * The comments of the first tickets, as many as asked for. If the tickets have fewer, a second round gives them more.
 * A file of more rows begins with the same comments.
 */
export function* commentRows(seed: number, count: number, tickets: Tickets, author: Author): Generator<CleanRow> {
  const of = streamsOf(seed, 'comments');
  let row = 0;
  for (let round = 0; row < count; round += 1) {
    for (let index = 0; index < tickets.count && row < count; index += 1) {
      const number = of('ticket_id').at(index + round * tickets.count);
      const size = 1 + number.geometric(MEAN_OF_GEOMETRIC) + number.geometric(MEAN_OF_GEOMETRIC);
      const ticket = tickets.facts(index);
      for (let nth = 0; nth < size && row < count; nth += 1, row += 1) yield commentRow(row, ticket, nth / size, size);
    }
  }

  function commentRow(at: number, ticket: TicketFacts, share: number, size: number): CleanRow {
    const writer = writerOf(of('user_name').at(at));
    const visible = of('visible_to_customer').at(at).next();
    const life = ticket.modified - ticket.created;
    const when = ticket.created + life * (share + of('created_time').at(at).next() / size);
    const text = of('comment_text').at(at);
    return {
      comment_id: String(FIRST_ID + 3 * at + of('comment_id').at(at).whole(3)),
      ticket_id: String(ticket.id),
      comment_text: text.chance(0.9996) ? author.mail(author.text(text, TEXT)) : null,
      user_id: writer.id,
      user_name: writer.name,
      owner_type: of('owner_type').at(at).chance(0.99) ? writer.owner : null,
      created_time: timeText(Math.floor(when)),
      visible_to_customer: visible < 0.1 ? 'Yes' : visible < 0.15 ? 'No' : null,
      comment_type: writer.type,
      team: of('team').at(at).chance(0.98) ? ticket.team : null,
    };
  }
}

const STRIDE = 17;

/** Ratings of single comments: one in 17, until there are as many as asked for. */
export class Ratings {
  readonly #of: ReturnType<typeof streamsOf>;
  readonly #count: number;
  readonly #period: Period;
  readonly #author: Author;

  constructor(seed: number, count: number, period: Period, author: Author) {
    this.#of = streamsOf(seed, 'comment_quality');
    this.#count = count;
    this.#period = period;
    this.#author = author;
  }

  /** The rating of the comment with this index, if it has one. */
  of(comment: number, row: CleanRow): CleanRow | undefined {
    const nth = Math.floor(comment / STRIDE);
    if (nth >= this.#count || this.#of('comment_id').at(nth).whole(STRIDE) !== comment % STRIDE) return undefined;
    const score = (column: string) => 1 + this.#of(column).at(nth).whole(5);
    const [professionalism, clarity] = [score('professionalism_score'), score('clarity_score')];
    const [empathy, actionability] = [score('empathy_score'), score('actionability_score')];
    const quality = (professionalism + clarity + empathy + actionability) / 4;
    const created = secondsOf(String(row.created_time)) ?? 0;
    const rated = created + 3600 + this.#of('analysis_timestamp').at(nth).whole(DAY);
    return {
      comment_id: row.comment_id ?? null,
      ticket_id: row.ticket_id ?? null,
      user_name: row.user_name ?? null,
      team: row.team ?? null,
      comment_type: row.comment_type ?? null,
      created_time: row.created_time ?? null,
      cleaned_text: String(row.comment_text ?? '').slice(0, 500),
      professionalism_score: professionalism,
      clarity_score: clarity,
      empathy_score: empathy,
      actionability_score: actionability,
      quality_score: quality,
      quality_tier: quality < 2 ? 'poor' : quality < 3 ? 'acceptable' : quality < 4 ? 'good' : 'excellent',
      content_tags: this.#of('content_tags').at(nth).pick(['["access"]', '["hardware","order"]', '[]']),
      red_flags: this.#of('red_flags').at(nth).chance(0.1) ? '["no_next_step"]' : '[]',
      intent_summary: this.#author.title(this.#of('intent_summary').at(nth), SUMMARY),
      analysis_timestamp: timeText(Math.min(rated, this.#period.asOf - 1)),
    };
  }
}
