import { expect, test, vi } from "vitest";
import type { Page } from "@/api/client";
import { toDay, weekOf } from "@/time/calendar";
import { type Followup, followupsByDay } from "./days";
import { followupState, tableOf } from "./list_state";

const CHICAGO = "America/Chicago";
const DAY = toDay("2027-03-14");
if (!DAY) throw new Error("no day");
const [FIRST = DAY, ...REST] = weekOf(DAY);

const state = (query: string) => followupState(new URLSearchParams(query), CHICAGO);

test("the table has what is open, the calendar also what was sent", () => {
  expect(state("")).toMatchObject({ view: "table", statuses: "open", sort: "scheduled_for" });
  expect(state("").filter.status).not.toContain("sent");
  expect(state("view=week").filter.status).toContain("sent");
  expect(state("status=all").filter).toEqual({});
});

test("filters of the address are those of the API, days the agent's", () => {
  const { filter, statuses } = state(
    "status=written&status=composed&priority=high&q= ana &from=2027-03-14&until=2027-03-14",
  );
  expect(statuses).toBe("written,composed");
  expect(filter).toEqual({
    q: "ana",
    status: ["written", "composed"],
    priority: ["high"],
    due_after: "2027-03-14T06:00:00.000Z",
    due_before: "2027-03-15T05:00:00.000Z",
  });
});

test("what the API does not know is left out", () => {
  expect(state("view=year&status=x&priority=x&sort=x&from=soon&day=x")).toEqual(state(""));
});

test("a day's table keeps the other filters", () => {
  const query = new URLSearchParams("view=month&day=2027-03-01&q=ana&page=2");
  expect(tableOf(DAY, query, "planned")).toBe(
    "/followups/?q=ana&status=planned&from=2027-03-14&until=2027-03-14",
  );
});

function followup(scheduled_for: string): Followup {
  return {
    _id: scheduled_for,
    agent_id: "1",
    client_id: "2",
    followup_type: "Day 1",
    step: null,
    goal: null,
    scheduled_for,
    status: "pending",
    priority: "high",
    email_sent_id: null,
    notes: null,
    instructions: null,
    error_message: null,
    postponed: null,
    flags: [],
    created_at: scheduled_for,
    updated_at: scheduled_for,
    client_name: "Jane Doe",
    subject: null,
    email_status: null,
  };
}

type Bounds = { after: string; before: string };

/** An API that has these follow-ups. */
function ask(instants: string[]) {
  return vi.fn(async ({ after, before }: Bounds, limit: number): Promise<Page<Followup>> => {
    const all = instants.filter((at) => at >= after && at < before).map(followup);
    const rows = all.slice(0, limit);
    return { rows, total: all.length, hasNext: all.length > limit, next: null };
  });
}

const counts = (days: Map<string, { rows: unknown[]; total: number }>) =>
  [...days].map(([day, { rows, total }]) => [day, rows.length, total]);

test("follow-ups stand at their day in the agent's zone, over a clock change", async () => {
  const api = ask([
    "2027-03-14T05:59:00.000Z",
    "2027-03-14T06:00:00.000Z",
    "2027-03-15T04:59:00.000Z",
    "2027-03-15T05:00:00.000Z",
  ]);
  const days = await followupsByDay([FIRST, ...REST], CHICAGO, 1, api);
  expect(counts(days)).toEqual([
    ["2027-03-14", 1, 2],
    ["2027-03-15", 1, 1],
  ]);
  expect(api).toHaveBeenCalledTimes(1);
});

test("more than a page are asked for day by day, and all are counted", async () => {
  const instants = [...Array(150).keys()].map(
    (minute) => `2027-03-16T${String(14 + (minute % 3))}:00:00.${String(minute).padStart(3, "0")}Z`,
  );
  const api = ask([...instants, "2027-03-20T12:00:00.000Z"]);
  const days = await followupsByDay([FIRST, ...REST], CHICAGO, 3, api);
  expect(counts(days)).toEqual([
    ["2027-03-16", 3, 150],
    ["2027-03-20", 1, 1],
  ]);
});
