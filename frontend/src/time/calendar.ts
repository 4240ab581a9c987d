import {
  type CalendarDate,
  getWeeksInMonth,
  parseDate,
  startOfMonth,
  startOfWeek,
} from "@internationalized/date";
import { startOfDay } from "./zone";

/** Weeks begin on Sunday. */
const LOCALE = "en-US";

/** Return the seven days of the week that has the day. */
export function weekOf(day: CalendarDate): CalendarDate[] {
  const first = startOfWeek(day, LOCALE);
  return Array.from({ length: 7 }, (_, index) => first.add({ days: index }));
}

/** Return the weeks that have a day of the month, whole, with days of the months beside it. */
export function monthOf(day: CalendarDate): CalendarDate[][] {
  const first = startOfMonth(day);
  return Array.from({ length: getWeeksInMonth(day, LOCALE) }, (_, index) =>
    weekOf(first.add({ weeks: index })),
  );
}

/** Return the instants from which the days are, and before which they end; 23 to 25 hours each. */
export function boundsOf(first: CalendarDate, last: CalendarDate, zone: string) {
  return { after: startOfDay(first, zone), before: startOfDay(last.add({ days: 1 }), zone) };
}

/** Return the day that is written as 2027-03-14; null where none is. */
export function toDay(value: string | null): CalendarDate | null {
  try {
    return value ? parseDate(value) : null;
  } catch {
    return null;
  }
}

/** "Sun" */
export function weekdayName(day: CalendarDate): string {
  return words(day, { weekday: "short" });
}

/** "Sunday, March 14" */
export function dayName(day: CalendarDate): string {
  return words(day, { weekday: "long", month: "long", day: "numeric" });
}

/** "March 2027" */
export function monthName(day: CalendarDate): string {
  return words(day, { month: "long", year: "numeric" });
}

/** "Mar 14 – 20, 2027" */
export function weekName(day: CalendarDate): string {
  const [first = day, last = day] = [weekOf(day)[0], weekOf(day)[6]];
  return new Intl.DateTimeFormat(LOCALE, {
    month: "short",
    day: "numeric",
    year: "numeric",
    timeZone: "UTC",
  }).formatRange(first.toDate("UTC"), last.toDate("UTC"));
}

/** A day is of no zone: both ways in UTC, it stays what it is. */
function words(day: CalendarDate, options: Intl.DateTimeFormatOptions): string {
  const format = new Intl.DateTimeFormat(LOCALE, { ...options, timeZone: "UTC" });
  return format.format(day.toDate("UTC"));
}
