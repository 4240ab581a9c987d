import { useZone } from "@/shell/me";
import { text } from "@/text/followups";
import { dayName } from "@/time/calendar";
import { today } from "@/time/zone";
import { Badge, Empty } from "@/ui/parts";
import type { CalendarProps } from "./calendar";
import { FollowupsOfDay } from "./followup_chip";

/** The days that have follow-ups, one below the other. */
export function Agenda({ view, day, weeks, days, statuses }: CalendarProps) {
  const now = today(useZone());
  const busy = weeks
    .flat()
    .filter((each) => days.has(each.toString()) && (view === "week" || each.month === day.month));
  if (busy.length === 0) {
    return (
      <div role="status" className="rounded-box border border-line bg-surface">
        <Empty title={text.noneInPeriod} />
      </div>
    );
  }
  return (
    <ol className="divide-y divide-line rounded-box border border-line bg-surface">
      {busy.map((each) => {
        const { rows, total } = days.get(each.toString()) ?? { rows: [], total: 0 };
        return (
          <li key={each.toString()} className="grid gap-1.5 p-3">
            <h3 className="flex items-center gap-2 text-sm font-semibold">
              {dayName(each)}
              {each.compare(now) === 0 && <Badge tone="accent">{text.isToday}</Badge>}
            </h3>
            <FollowupsOfDay day={each} rows={rows} total={total} statuses={statuses} />
          </li>
        );
      })}
    </ol>
  );
}
