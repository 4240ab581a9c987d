import { isSameMonth } from "@internationalized/date";
import { useZone } from "@/shell/me";
import { text } from "@/text/followups";
import { dayName, monthName, weekdayName, weekName } from "@/time/calendar";
import { today } from "@/time/zone";
import type { CalendarProps } from "./calendar";
import { FollowupsOfDay } from "./followup_chip";

/** A row for each week, a column for each day of it. */
export function CalendarGrid({ view, day, weeks, days, statuses }: CalendarProps) {
  const now = today(useZone());
  const period = view === "month" ? monthName(day) : weekName(day);
  return (
    <table
      aria-label={text.calendar(period)}
      className="w-full table-fixed border-separate border-spacing-0 overflow-hidden rounded-box border border-line bg-surface text-sm"
    >
      <thead>
        <tr>
          {weeks[0]?.map((each) => (
            <th
              key={each.toString()}
              scope="col"
              className="border-b border-line px-2 py-1.5 text-left font-medium text-soft"
            >
              {weekdayName(each)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {weeks.map((week, index) => (
          <tr key={week[0]?.toString()}>
            {week.map((each) => {
              const { rows, total } = days.get(each.toString()) ?? { rows: [], total: 0 };
              const isNow = each.compare(now) === 0;
              const isBeside = view === "month" && !isSameMonth(each, day);
              return (
                <td
                  key={each.toString()}
                  className={`border-line p-1 align-top not-last:border-r ${index > 0 ? "border-t" : ""} ${view === "month" ? "h-28" : "h-80"} ${isBeside ? "bg-sunken" : ""}`}
                >
                  <time dateTime={each.toString()} className="mb-1 block px-1 tabular-nums">
                    <span className="sr-only">
                      {dayName(each)}
                      {isNow && `, ${text.isToday}`}
                    </span>
                    <span
                      aria-hidden
                      className={
                        isNow
                          ? "inline-grid min-w-6 place-items-center rounded-full bg-accent px-1 font-semibold text-accent-ink"
                          : isBeside
                            ? "text-soft"
                            : "font-medium"
                      }
                    >
                      {each.day}
                    </span>
                  </time>
                  <FollowupsOfDay day={each} rows={rows} total={total} statuses={statuses} />
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
