import { CalendarDate } from "@internationalized/date";
import { expect, test } from "vitest";
import {
  boundsOf,
  dayName,
  monthName,
  monthOf,
  toDay,
  weekdayName,
  weekName,
  weekOf,
} from "./calendar";
import { dayOf } from "./zone";

const MARCH = new CalendarDate(2027, 3, 14);
const CHICAGO = "America/Chicago";
const HOUR_MS = 3_600_000;

test("a month is of whole weeks, each day once and in order", () => {
  const weeks = monthOf(MARCH);
  expect(weeks.map(([first]) => first?.toString())).toEqual([
    "2027-02-28",
    "2027-03-07",
    "2027-03-14",
    "2027-03-21",
    "2027-03-28",
  ]);
  const days = weeks.flat();
  expect(days).toHaveLength(35);
  days.forEach((day, index) => {
    expect(day.compare(new CalendarDate(2027, 2, 28).add({ days: index }))).toBe(0);
  });
});

test.each([
  ["of four weeks", new CalendarDate(2026, 2, 10), 4],
  ["of six weeks", new CalendarDate(2027, 5, 31), 6],
])("a month %s", (_, day, weeks) => {
  expect(monthOf(day)).toHaveLength(weeks);
  expect(
    monthOf(day)
      .flat()
      .some((each) => each.compare(day) === 0),
  ).toBe(true);
});

test("a week is from Sunday on, over the end of a year too", () => {
  expect(weekOf(new CalendarDate(2027, 1, 1)).map(String)).toEqual([
    "2026-12-27",
    "2026-12-28",
    "2026-12-29",
    "2026-12-30",
    "2026-12-31",
    "2027-01-01",
    "2027-01-02",
  ]);
});

test.each([
  ["America/Chicago", "2027-03-14", 23],
  ["America/Chicago", "2027-11-07", 25],
  ["Pacific/Auckland", "2027-09-26", 23],
  ["Pacific/Auckland", "2027-04-04", 25],
  ["Asia/Kolkata", "2027-03-14", 24],
  ["Pacific/Honolulu", "2027-11-07", 24],
  ["America/Sao_Paulo", "2018-11-04", 23],
])("in %s, %s has %i hours, and all of its instants are of that day", (zone, name, hours) => {
  const day = toDay(name);
  if (!day) throw new Error("no day");
  const { after, before } = boundsOf(day, day, zone);
  expect((Date.parse(before) - Date.parse(after)) / HOUR_MS).toBe(hours);
  for (let at = Date.parse(after); at < Date.parse(before); at += HOUR_MS / 2) {
    expect(dayOf(new Date(at).toISOString(), zone).toString()).toBe(name);
  }
  expect(dayOf(new Date(Date.parse(after) - 1).toISOString(), zone).toString()).not.toBe(name);
  expect(dayOf(before, zone).toString()).not.toBe(name);
});

test("the days of a month follow each other without a gap", () => {
  const days = monthOf(MARCH).flat();
  days.slice(1).forEach((day, index) => {
    const before = days[index];
    if (!before) throw new Error("no day");
    expect(boundsOf(before, before, CHICAGO).before).toBe(boundsOf(day, day, CHICAGO).after);
  });
});

test("words of days", () => {
  expect(weekdayName(MARCH)).toBe("Sun");
  expect(dayName(MARCH)).toBe("Sunday, March 14");
  expect(monthName(MARCH)).toBe("March 2027");
  expect(weekName(MARCH)).toMatch(/^Mar 14\s–\s20, 2027$/);
});

test.each([null, "", "soon", "2027-02-30"])("%s is no day", (value) => {
  expect(toDay(value)).toBeNull();
});
