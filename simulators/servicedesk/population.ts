/** Who and what appears in the file: agents, clients, end users, teams, categories, with their shares. All invented. */
import { Weighted, zipf } from './substream.ts';

const four = (rank: number) => String(rank).padStart(4, '0');

export const AGENTS = zipf(300);
export const CLIENTS = zipf(300);
export const END_USERS = zipf(4000);

/** Agents of the team that the file belongs to. */
export const ROSTER_SIZE = 48;

export const agentName = (rank: number) => `Agent ${four(rank)}`;
export const agentLogin = (rank: number) => `agent.${four(rank)}`;
export const clientName = (rank: number) => `Client-${four(rank)}`;
export const endUserName = (rank: number) => `End User ${rank}`;
export const endUserLogin = (rank: number) => `user.${four(rank)}`;

/** The automation, which writes most comments. */
export const ROBOT = 'sysbot';

export const agentId = (rank: number) => 100 + rank;
export const endUserId = (rank: number) => 10_000 + rank;
export const clientId = (rank: number) => 4000 + rank;

/** A key that looks like a number and is not: its zeros count. */
export const billingKey = (rank: number) => String(rank * 7).padStart(6, '0');

export const CATEGORIES = new Weighted([
  ['Support Tickets', 561],
  ['Alert', 369],
  ['Sector Support', 43],
  ['Standard', 16],
  ['Other', 11],
]);

export const STATUSES = new Weighted([
  ['Closed', 728],
  ['Incident Resolved', 249],
  ['In Progress', 8],
  ['Pending Client', 6],
  ['Assigned', 4],
  ['Pending Vendor', 2],
  ['New', 2],
  ['On Hold', 1],
]);

export const SEVERITIES = new Weighted([
  ['P1', 2],
  ['P2', 8],
  ['P3', 55],
  ['P4', 15],
  ['Alert', 20],
]);

export const ROOT_CAUSES = new Weighted([
  ['Account', 367],
  ['Application', 187],
  ['Hardware', 86],
  ['Network', 58],
  ['Mail', 53],
  ['Storage', 47],
  ['Backup', 46],
  ['Printing', 39],
  ['Server', 39],
  ['--None--', 29],
  ['Telephony', 27],
  ['Certificate', 8],
  ['Licence', 6],
  ['Database', 4],
  ['Facility', 2],
]);

export const TEAMS = new Weighted(
  [23, 17, 14, 11, 9, 7, 6, 5, 4, 3, 1].map((share, index) => [`Team-${four(index + 1).slice(2)}`, share] as const),
);

/** The three titles that make up 24 % of all alerts. */
export const ALERT_TITLES = [
  'Alert: disk space below limit',
  'Alert: host does not answer',
  'Alert: backup job missed',
] as const;

/** Quarter hours from 0.25 to 8; half an hour is the most frequent. */
export const HOURS = new Weighted(
  Array.from({ length: 32 }, (_, index) => {
    const quarters = index + 1;
    const weight = quarters === 2 ? 250 : quarters === 1 ? 120 : Math.round(500 / quarters);
    return [quarters / 4, weight] as const;
  }),
);

/** Hours of the day: ten times as much from eight to six. */
export const HOURS_OF_DAY = new Weighted(
  Array.from({ length: 24 }, (_, hour) => [hour, hour >= 8 && hour < 18 ? 10 : 1] as const),
);
