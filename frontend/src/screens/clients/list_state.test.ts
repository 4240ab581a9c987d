import { expect, test } from "vitest";
import { isExact, listState } from "./list_state";

test("an address without a query is the whole list, the newest first", () => {
  expect(listState(new URLSearchParams())).toEqual({ filter: {}, sort: "-created_at", page: 1 });
});

test("reads filters, sort and page", () => {
  const query = new URLSearchParams(
    "q= elm &stage=lead&stage=closed&property_type=land&plan_paused=false&sort=name&page=3",
  );
  expect(listState(query)).toEqual({
    filter: {
      q: "elm",
      stage: ["lead", "closed"],
      property_type: ["land"],
      plan_paused: false,
    },
    sort: "name",
    page: 3,
  });
});

test("leaves out what the API does not know", () => {
  const query = new URLSearchParams("stage=toString&stage=x&plan_paused=1&sort=color&page=-4");
  expect(listState(query)).toEqual({ filter: {}, sort: "-created_at", page: 1 });
});

test("a search's total is exact below what it is counted to", () => {
  expect(isExact({ q: "a" }, 4999)).toBe(true);
  expect(isExact({ q: "a" }, 5000)).toBe(false);
  expect(isExact({}, 10_000)).toBe(true);
});
