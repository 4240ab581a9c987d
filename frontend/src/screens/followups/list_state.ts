import type { CalendarDate } from "@internationalized/date";
import type { Schemas } from "@/api/client";
import { names } from "@/text/common";
import { boundsOf, toDay } from "@/time/calendar";

type TaskStatus = Schemas["TaskStatus"];

export type View = "table" | "month" | "week";

/** What follow-ups are narrowed by, as the API takes it. */
export interface FollowupFilter {
  q?: string;
  status?: TaskStatus[];
  priority?: Schemas["Priority"][];
  due_after?: string;
  due_before?: string;
}

export interface FollowupState {
  view: View;
  /** What the filter of statuses says: several of them as one, or statuses. */
  statuses: string;
  filter: FollowupFilter;
  sort: Schemas["TaskSort"];
  /** The day whose month or week is shown; null is today. */
  day: CalendarDate | null;
}

const SORTS: Record<Schemas["TaskSort"], true> = { scheduled_for: true, "-scheduled_for": true };

const OPEN = ["pending", "due", "written", "composed", "failed", "unknown"] as const;

/** Several statuses under one name. */
export const GROUPS: Record<"open" | "planned" | "all", readonly TaskStatus[]> = {
  /** Those that are still to be sent, or need somebody. */
  open: OPEN,
  /** Those that were not called off. */
  planned: [...OPEN, "sent"],
  all: [],
};

/**
 * Return what the address asks for: days are the agent's, `until` is included. Where it names no
 * status, the table has what is open, the calendar also what was sent.
 */
export function followupState(query: URLSearchParams, zone: string): FollowupState {
  const [view = "table"] = known(query.getAll("view"), { table: 1, month: 1, week: 1 });
  const [sort = "scheduled_for"] = known(query.getAll("sort"), SORTS);
  const named = query.getAll("status").flatMap((value) => value.split(","));
  const [group] = known(named, GROUPS);
  const chosen = known(named, names.taskStatus);
  const byDefault = view === "table" ? "open" : "planned";
  const statuses = group ?? (chosen.join(",") || byDefault);
  const status = chosen.length > 0 && !group ? chosen : [...GROUPS[group ?? byDefault]];
  const priority = known(query.getAll("priority"), names.priority);
  const q = query.get("q")?.trim();
  const from = toDay(query.get("from"));
  const until = toDay(query.get("until"));
  return {
    view,
    statuses,
    sort,
    day: toDay(query.get("day")),
    filter: {
      ...(q && { q: q.slice(0, 200) }),
      ...(status.length > 0 && { status }),
      ...(priority.length > 0 && { priority }),
      ...(from && { due_after: boundsOf(from, from, zone).after }),
      ...(until && { due_before: boundsOf(until, until, zone).before }),
    },
  };
}

function known<T extends string>(values: string[], of: Record<T, unknown>): T[] {
  return values.filter((value): value is T => Object.hasOwn(of, value));
}

/** Return the address of the table with the follow-ups of the day, under the same filters. */
export function tableOf(day: CalendarDate, query: URLSearchParams, statuses: string): string {
  const next = new URLSearchParams(query);
  for (const name of ["view", "day", "page", "status"]) next.delete(name);
  next.append("status", statuses);
  next.set("from", day.toString());
  next.set("until", day.toString());
  return `/followups/?${next}`;
}
