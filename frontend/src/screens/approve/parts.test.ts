import { expect, test } from "vitest";
import { marked } from "./marked";
import { neighbour, successor } from "./order";

test.each([
  ["Hi [Name], for 5 %!", ["5 %", "[Name]"], "Hi |[Name]*|, for |5 %*|!"],
  ["[Name]", ["[Name]"], "[Name]*"],
  ["aa", ["a"], "a*|a*"],
  ["Hi", ["", "no"], "Hi"],
  ["", ["x"], ""],
])("%s is marked where it is one of %s", (text, excerpts, wanted) => {
  const parts = marked(text, excerpts).map(({ text, isMarked }) => (isMarked ? `${text}*` : text));
  expect(parts.join("|")).toBe(wanted);
});

const IDS = ["a", "b", "c"];

test("the neighbours of a letter", () => {
  expect(neighbour(IDS, "a", 1)).toBe("b");
  expect(neighbour(IDS, "a", -1)).toBeUndefined();
  expect(neighbour(IDS, "gone", 1)).toBe("a");
  expect(neighbour(IDS, null, -1)).toBe("a");
});

test("after a decision comes the next letter, after the last one the one before", () => {
  expect(successor(IDS, "b")).toBe("c");
  expect(successor(IDS, "c")).toBe("b");
  expect(successor(["a"], "a")).toBeUndefined();
  expect(successor(IDS, "gone")).toBe("a");
});
