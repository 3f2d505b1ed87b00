/** Wall clocks of a named time zone, for sources whose owner has said where their clock hangs. */
import { ConnectorError } from '../singer/errors.ts';
import { daysBefore, type Moment, momentAt, secondsOf } from './calendar.ts';

/** What a wall-clock time is in UTC. */
export type UtcReading =
  | { readonly moment: Moment; readonly twice: boolean }
  /** The clock was put forward over this time, so it never showed it. */
  | 'never';

export interface TimeZone {
  readonly name: string;
  /** The instant at which a clock of the zone shows `local`; the earlier one when it showed it twice. */
  utcOf(local: Moment): UtcReading;
}

/** Further than any zone is from UTC. */
const DAY = 86_400;

/**
 * A zone of the IANA database, as this Node knows it.
 * @throws ConnectorError `config` for a name that it does not know.
 */
export function timeZone(name: string): TimeZone {
  const format = formatOf(name);
  const offsets = new Map<number, number>();
  /** Seconds that the zone's clock is ahead of UTC at an instant. Kept by quarter of an hour: no zone changes in between. */
  const offsetAt = (instant: number): number => {
    const quarter = Math.floor(instant / 900);
    const known = offsets.get(quarter);
    if (known !== undefined) return known;
    const offset = shownAt(format, quarter * 900) - quarter * 900;
    offsets.set(quarter, offset);
    return offset;
  };
  return {
    name,
    utcOf(local) {
      const shown = secondsOf(local);
      const candidates = [...new Set([offsetAt(shown - DAY), offsetAt(shown + DAY)])].map((offset) => shown - offset);
      const instants = candidates.filter((instant) => instant + offsetAt(instant) === shown);
      if (instants.length === 0) return 'never';
      return { moment: momentAt(Math.min(...instants), local.fraction), twice: instants.length > 1 };
    },
  };
}

function formatOf(name: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'iso8601',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (cause) {
    throw new ConnectorError(
      'config',
      `there is no time zone ${JSON.stringify(name)}`,
      {},
      { cause, hint: 'use a name such as Europe/Vienna or Australia/Perth' },
    );
  }
}

/** What the zone's clock shows at an instant, as seconds since 1970-01-01 00:00:00 on that clock. */
function shownAt(format: Intl.DateTimeFormat, instant: number): number {
  const shown = new Map(format.formatToParts(instant * 1000).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes) => shown.get(type) ?? 0;
  const days = daysBefore(part('year'), part('month'), part('day'));
  return days * DAY + part('hour') * 3600 + part('minute') * 60 + part('second');
}
