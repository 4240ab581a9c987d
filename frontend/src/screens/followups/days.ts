import type { CalendarDate } from "@internationalized/date";
import type { Page, Schemas } from "@/api/client";
import { boundsOf } from "@/time/calendar";
import { dayOf } from "@/time/zone";

export type Followup = Schemas["ListedTask"];

/** The first follow-ups of a day, and how many it has. */
export interface Day {
  rows: Followup[];
  total: number;
}

type Ask = (bounds: { after: string; before: string }, limit: number) => Promise<Page<Followup>>;

/** As many rows as a page of the API has. */
const MOST = 100;

/**
 * Return the follow-ups of the days, by day: of each the first `shown`, and how many there are.
 * They are asked for at once; day by day where they are more than a page.
 */
export async function followupsByDay(
  days: readonly [CalendarDate, ...CalendarDate[]],
  zone: string,
  shown: number,
  ask: Ask,
): Promise<Map<string, Day>> {
  const found = new Map<string, Day>();
  const { rows, total } = await ask(boundsOf(days[0], days.at(-1) ?? days[0], zone), MOST);
  if (total > rows.length) {
    const pages = await Promise.all(days.map((day) => ask(boundsOf(day, day, zone), shown)));
    days.forEach((day, index) => {
      const page = pages[index];
      if (page && page.total > 0) found.set(day.toString(), page);
    });
    return found;
  }
  for (const row of rows) {
    const day = dayOf(row.scheduled_for, zone).toString();
    const { rows: before, total } = found.get(day) ?? { rows: [], total: 0 };
    found.set(day, { rows: [...before, row].slice(0, shown), total: total + 1 });
  }
  return found;
}
