import { CalendarDate } from "@internationalized/date";
import { expect, test, vi } from "vitest";
import {
  dateTime,
  day,
  dayOf,
  departure,
  fromInput,
  fromNow,
  startOfDay,
  toInput,
  zoneName,
} from "./zone";

const CHICAGO = "America/Chicago";

test.each([
  ["Pacific/Honolulu", "2027-01-04T19:30:00.000Z"],
  ["America/New_York", "2027-01-04T14:30:00.000Z"],
  ["Asia/Kolkata", "2027-01-04T04:00:00.000Z"],
  ["Pacific/Auckland", "2027-01-03T20:30:00.000Z"],
])("what is picked in %s is stored, and shown again", (zone, instant) => {
  expect(fromInput("2027-01-04T09:30", zone)).toBe(instant);
  expect(toInput(instant, zone)).toBe("2027-01-04T09:30");
  expect(dayOf(instant, zone).toString()).toBe("2027-01-04");
});

test("a time that the clock skips in spring is as long after midnight", () => {
  expect(fromInput("2027-03-14T02:30", CHICAGO)).toBe("2027-03-14T08:30:00.000Z");
});

test("of a time that comes twice in autumn it is the first", () => {
  expect(fromInput("2027-11-07T01:30", CHICAGO)).toBe("2027-11-07T06:30:00.000Z");
});

test.each(["", "tomorrow", "2027-02-30T09:00"])("%s is no time", (value) => {
  expect(fromInput(value, CHICAGO)).toBeNull();
});

test("a day begins at the zone's midnight, or where there is none, when the day begins", () => {
  expect(startOfDay(new CalendarDate(2027, 7, 1), CHICAGO)).toBe("2027-07-01T05:00:00.000Z");
  expect(startOfDay(new CalendarDate(2018, 11, 4), "America/Sao_Paulo")).toBe(
    "2018-11-04T03:00:00.000Z",
  );
});

test("words of an instant are those of the zone", () => {
  expect(dateTime("2001-01-05T15:00:00Z", CHICAGO)).toBe("Fri, Jan 5, 2001, 09:00");
  const now = new Date("2027-01-04T00:00:00Z");
  expect(departure("2027-01-07T15:00:00Z", CHICAGO, now)).toBe("Thu 09:00 CST");
  expect(departure("2001-01-05T15:00:00Z", CHICAGO, now)).toBe("Fri, Jan 5, 2001, 09:00 CST");
  expect(zoneName(CHICAGO, "2027-07-07T15:00:00Z")).toBe("CDT");
});

test.each([
  ["2027-01-01T00:00:30Z", "now"],
  ["2027-01-01T03:10:00Z", "in 3 hours"],
  ["2026-12-30T00:00:00Z", "2 days ago"],
])("%s is %s", (instant, words) => {
  expect(fromNow(instant, new Date("2027-01-01T00:00:00Z"))).toBe(words);
});

test("the year is told where it is another one in the zone", () => {
  vi.useFakeTimers({ now: new Date("2026-06-01T00:00:00Z") });
  expect(day("2026-01-01T03:00:00Z", "America/Chicago")).toBe("Wed, Dec 31, 2025");
  expect(day("2026-01-01T03:00:00Z", "Asia/Kolkata")).toBe("Thu, Jan 1");
  expect(day("2025-12-31T20:00:00Z", "Asia/Kolkata")).toBe("Thu, Jan 1");
  vi.useRealTimers();
});
