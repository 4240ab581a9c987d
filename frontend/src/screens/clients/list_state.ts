import type { Schemas } from "@/api/client";
import { names } from "@/text/common";

type Stage = Schemas["Stage"];

/** What the list is narrowed by, as the API takes it. */
export interface ClientFilter {
  q?: string;
  stage?: Stage[];
  property_type?: Schemas["PropertyType"][];
  email_status?: Schemas["SuppressionReason"][];
  plan_paused?: boolean;
}

export interface ListState {
  filter: ClientFilter;
  sort: Schemas["ClientSort"];
  page: number;
}

export const PAGE_SIZE = 25;

export const SORTS: Record<Schemas["ClientSort"], string> = names.clientSort;

/** Return what the address asks for; what it says that is none of the API's names is left out. */
export function listState(query: URLSearchParams): ListState {
  const q = query.get("q")?.trim();
  const stage = known(query.getAll("stage"), names.stage);
  const property_type = known(query.getAll("property_type"), names.propertyType);
  const email_status = known(query.getAll("email_status"), names.suppression);
  const paused = query.get("plan_paused");
  const [sort = "-created_at"] = known(query.getAll("sort"), SORTS);
  return {
    filter: {
      ...(q && { q: q.slice(0, 200) }),
      ...(stage.length > 0 && { stage }),
      ...(property_type.length > 0 && { property_type }),
      ...(email_status.length > 0 && { email_status }),
      ...((paused === "true" || paused === "false") && { plan_paused: paused === "true" }),
    },
    sort,
    page: Math.min(Math.max(Number.parseInt(query.get("page") ?? "", 10) || 1, 1), 1_000_000),
  };
}

function known<T extends string>(values: string[], of: Record<T, unknown>): T[] {
  return values.filter((value): value is T => Object.hasOwn(of, value));
}

/** The most that a search is counted to: 5,000 are at least so many. */
const COUNTED_TO = 5000;

/** Return whether the total of the filter is exact. */
export function isExact(filter: ClientFilter, total: number): boolean {
  return !filter.q || total < COUNTED_TO;
}
