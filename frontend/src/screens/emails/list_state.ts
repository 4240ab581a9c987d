import type { Schemas } from "@/api/client";
import { names } from "@/text/common";
import { boundsOf, toDay } from "@/time/calendar";

type EmailStatus = Schemas["EmailStatus"];

/** What the list is narrowed by, as the API takes it. */
export interface EmailFilter {
  q?: string;
  status?: EmailStatus[];
  created_after?: string;
  created_before?: string;
}

/** Return what the address asks for: days are the agent's, `until` is included. */
export function emailFilter(query: URLSearchParams, zone: string): EmailFilter {
  const q = query.get("q")?.trim();
  const status = query
    .getAll("status")
    .filter((value): value is EmailStatus => Object.hasOwn(names.emailStatus, value));
  const from = toDay(query.get("from"));
  const until = toDay(query.get("until"));
  return {
    ...(q && { q: q.slice(0, 200) }),
    ...(status.length > 0 && { status }),
    ...(from && { created_after: boundsOf(from, from, zone).after }),
    ...(until && { created_before: boundsOf(until, until, zone).before }),
  };
}
