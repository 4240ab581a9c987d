import {
  type CalendarDate,
  fromAbsolute,
  parseAbsolute,
  parseDateTime,
  toCalendarDate,
  toCalendarDateTime,
  toZoned,
} from "@internationalized/date";

/** All that an agent sees and picks is in the agent's zone, whatever the browser's is. */

const LOCALE = "en";

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = zone + JSON.stringify(options);
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(LOCALE, { ...options, timeZone: zone });
    formats.set(key, found);
  }
  return found;
}

/** "Thu, Jan 5, 09:00", with the year where it is not this one. */
export function dateTime(instant: string, zone: string): string {
  const year = isThisYear(instant, zone) ? {} : ({ year: "numeric" } as const);
  return format(zone, {
    weekday: "short",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    ...year,
  }).format(new Date(instant));
}

/** "Thu, Jan 5", with the year where it is not this one. */
export function day(instant: string, zone: string): string {
  const year = isThisYear(instant, zone) ? {} : ({ year: "numeric" } as const);
  return format(zone, { weekday: "short", month: "short", day: "numeric", ...year }).format(
    new Date(instant),
  );
}

/** "09:00" */
export function time(instant: string, zone: string): string {
  return format(zone, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(
    new Date(instant),
  );
}

const WEEK_MS = 6 * 86_400_000;

/** "Thu 09:00 CST", as a letter leaves; with the date where it is not within the next six days. */
export function departure(instant: string, zone: string, now: Date = new Date()): string {
  const isSoon = Math.abs(Date.parse(instant) - now.getTime()) < WEEK_MS;
  const weekday = format(zone, { weekday: "short" }).format(new Date(instant));
  const when = isSoon ? `${weekday} ${time(instant, zone)}` : dateTime(instant, zone);
  return `${when} ${zoneName(zone, instant)}`;
}

/** "CST" */
export function zoneName(zone: string, instant: string = new Date().toISOString()): string {
  const parts = format(zone, { timeZoneName: "short" }).formatToParts(new Date(instant));
  return parts.find(({ type }) => type === "timeZoneName")?.value ?? zone;
}

let relative: Intl.RelativeTimeFormat | undefined;
const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/** "in 3 hours", "2 days ago", "now" */
export function fromNow(instant: string, now: Date = new Date()): string {
  relative ??= new Intl.RelativeTimeFormat(LOCALE, { numeric: "auto" });
  const seconds = (Date.parse(instant) - now.getTime()) / 1000;
  for (const [unit, length] of STEPS) {
    if (Math.abs(seconds) >= length) return relative.format(Math.trunc(seconds / length), unit);
  }
  return relative.format(0, "second");
}

const DAY_MS = 86_400_000;

function isThisYear(instant: string, zone: string): boolean {
  return yearOf(Date.parse(instant), zone) === yearOf(Date.now(), zone);
}

function yearOf(at: number, zone: string): number {
  const before = new Date(at - DAY_MS).getUTCFullYear();
  // To ask what it is in the zone takes long; almost always it is the same in all.
  const isSameInAll = before === new Date(at + DAY_MS).getUTCFullYear();
  return isSameInAll ? before : fromAbsolute(at, zone).year;
}

/** Return the day of the instant in the zone. */
export function dayOf(instant: string, zone: string): CalendarDate {
  return toCalendarDate(parseAbsolute(instant, zone));
}

export function today(zone: string): CalendarDate {
  return toCalendarDate(fromAbsolute(Date.now(), zone));
}

/** Return the first instant of the day in the zone, in UTC. */
export function startOfDay(date: CalendarDate, zone: string): string {
  return toZoned(date, zone).toAbsoluteString();
}

/** Return the instant as the value of an input of type `datetime-local`, in the zone. */
export function toInput(instant: string, zone: string): string {
  return toCalendarDateTime(parseAbsolute(instant, zone)).toString().slice(0, 16);
}

/**
 * Return the instant (UTC) of the value of a `datetime-local` input in the zone; null when it is no
 * time. One that a clock change skips is as long after midnight as it would have been; one that
 * comes twice is the first.
 */
export function fromInput(value: string, zone: string): string | null {
  try {
    return toZoned(parseDateTime(value), zone, "compatible").toAbsoluteString();
  } catch {
    return null;
  }
}
