import { expect, test } from "vitest";
import { changesOf, conflictsOf, merged, NO_VALUES, newClientOf } from "./values";

const BEFORE = { ...NO_VALUES, name: "Maria", email: "maria@example.com", phone: "1" };

test("only what differs is changed, and null empties a field", () => {
  expect(changesOf(BEFORE, { ...BEFORE, name: "Ana", phone: "" })).toEqual({
    name: "Ana",
    phone: null,
  });
});

test("a required field is not emptied by null, so that the API says what is wrong", () => {
  expect(changesOf(BEFORE, { ...BEFORE, name: "" })).toEqual({ name: "" });
});

test("a new client has no empty fields but those it must have", () => {
  expect(newClientOf({ ...NO_VALUES, name: "Ana", notes: "Likes gardens" })).toEqual({
    name: "Ana",
    email: "",
    stage: "lead",
    property_type: "residential",
    notes: "Likes gardens",
  });
});

test("in conflict is what others have changed to something else than is typed", () => {
  const typed = { ...BEFORE, name: "Ana", phone: "2", notes: "mine" };
  const now = { ...BEFORE, name: "Ana", phone: "3", source: "Zillow" };
  expect(conflictsOf(BEFORE, typed, now)).toEqual(["phone", "source"]);
});

test("what only one side has changed is kept, of what both have changed what is typed", () => {
  const typed = { ...BEFORE, phone: "2", notes: "mine" };
  const now = { ...BEFORE, phone: "3", source: "Zillow" };
  expect(merged(BEFORE, typed, now)).toEqual({
    ...BEFORE,
    phone: "2",
    notes: "mine",
    source: "Zillow",
  });
});
