import { expect, test } from "vitest";
import { emailFilter } from "./list_state";

const ZONE = "America/Chicago";

test("days are the agent's, from the first's beginning to the last's end, over a clock change", () => {
  const query = new URLSearchParams("from=2027-03-13&until=2027-03-14&status=opened&q=ana");
  expect(emailFilter(query, ZONE)).toEqual({
    q: "ana",
    status: ["opened"],
    created_after: "2027-03-13T06:00:00.000Z",
    created_before: "2027-03-15T05:00:00.000Z",
  });
});

test("what is no day, status or word is left out", () => {
  expect(emailFilter(new URLSearchParams("from=soon&until=2027-02-30&status=x&q= "), ZONE)).toEqual(
    {},
  );
});
