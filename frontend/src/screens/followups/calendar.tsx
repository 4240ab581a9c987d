import type { CalendarDate } from "@internationalized/date";
import { useQuery } from "@tanstack/react-query";
import { api, readPage } from "@/api/client";
import { useQueryState } from "@/navigation";
import { useZone } from "@/shell/me";
import { text } from "@/text/followups";
import { monthName, monthOf, weekName, weekOf } from "@/time/calendar";
import { today } from "@/time/zone";
import { Button } from "@/ui/button";
import { Loaded } from "@/ui/loaded";
import { Skeleton } from "@/ui/parts";
import { useMedia } from "@/ui/use_media";
import { Agenda } from "./agenda";
import { CalendarGrid } from "./calendar_grid";
import { type Day, followupsByDay } from "./days";
import type { FollowupFilter, FollowupState, View } from "./list_state";

/** So many follow-ups of a day are shown; the others are in the table. */
const SHOWN = { month: 3, week: 12 };

export interface CalendarProps {
  view: keyof typeof SHOWN;
  /** The day whose month or week it is. */
  day: CalendarDate;
  weeks: CalendarDate[][];
  days: ReadonlyMap<string, Day>;
  statuses: string;
}

interface Props {
  state: FollowupState;
  view: Exclude<View, "table">;
}

/** The follow-ups of a month or a week, by days of the agent; on phones as a list. */
export function Calendar({ state, view }: Props) {
  const zone = useZone();
  const day = state.day ?? today(zone);
  const weeks = view === "month" ? monthOf(day) : [weekOf(day)];
  const query = useDays(state.filter, weeks.flat(), SHOWN[view]);
  const Shown = useMedia("(min-width: 48rem)") ? CalendarGrid : Agenda;
  return (
    <div className="grid gap-3">
      <Heading view={view} day={day} />
      <Loaded query={query} skeleton={<Skeleton className="h-[60dvh]" />}>
        {(days) => (
          <div aria-busy={query.isPlaceholderData}>
            <Shown view={view} day={day} weeks={weeks} days={days} statuses={state.statuses} />
          </div>
        )}
      </Loaded>
    </div>
  );
}

function useDays(filter: FollowupFilter, days: CalendarDate[], shown: number) {
  const zone = useZone();
  const [first, ...rest] = days;
  return useQuery({
    queryKey: ["tasks", "calendar", filter, first?.toString(), days.length, zone],
    queryFn: async ({ signal }) => {
      if (!first) return new Map<string, Day>();
      return followupsByDay([first, ...rest], zone, shown, ({ after, before }, limit) => {
        const query = { ...filter, due_after: after, due_before: before, limit };
        return readPage(api.GET("/api/tasks", { params: { query }, signal }));
      });
    },
  });
}

/** Which month or week it is, and the ways to others. */
function Heading({ view, day }: Pick<CalendarProps, "view" | "day">) {
  const [, change] = useQueryState();
  const move = (step: 1 | -1) => {
    const to = view === "month" ? day.add({ months: step }) : day.add({ weeks: step });
    change({ day: to.toString() });
  };
  return (
    <div className="flex flex-wrap items-center justify-between gap-2">
      <h2 aria-live="polite" className="text-lg font-semibold">
        {view === "month" ? monthName(day) : weekName(day)}
      </h2>
      <div className="flex gap-2">
        <Button aria-label={text.before[view]} onClick={() => move(-1)}>
          <span aria-hidden>←</span>
        </Button>
        <Button onClick={() => change({ day: null })}>{text.today}</Button>
        <Button aria-label={text.after[view]} onClick={() => move(1)}>
          <span aria-hidden>→</span>
        </Button>
      </div>
    </div>
  );
}
