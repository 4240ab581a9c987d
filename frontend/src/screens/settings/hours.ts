import type { Schemas } from "@/api/client";

/** The week, as it is shown. */
export const WEEK: readonly Schemas["Weekday"][] = [
  "mon",
  "tue",
  "wed",
  "thu",
  "fri",
  "sat",
  "sun",
];

/** What an agent begins with who wants hours of their own. */
export const USUAL: Schemas["SendingHours"] = {
  days: ["mon", "tue", "wed", "thu", "fri"],
  start: "09:00",
  end: "18:00",
};

/** Return the half hours of a day, to its end at "24:00", and the time that is stored. */
export function times(stored: string): string[] {
  const halves = Array.from({ length: 49 }, (_, half) => {
    const hour = String(Math.floor(half / 2)).padStart(2, "0");
    return `${hour}:${half % 2 ? "30" : "00"}`;
  });
  return [...new Set([...halves, stored])].sort();
}
