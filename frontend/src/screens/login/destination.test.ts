import { expect, test } from "vitest";
import { destination } from "./destination";

test("goes to an address of the dashboard", () => {
  expect(destination("/client/?id=1")).toBe("/client/?id=1");
});

test.each([null, "", "https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)"])(
  "goes home instead of %s",
  (to) => {
    expect(destination(to)).toBe("/");
  },
);
