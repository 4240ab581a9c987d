import { expect, test } from "vitest";
import { nextStep, planOf, valuesOf } from "./plan_values";

const PLAN = {
  name: "Buyers",
  stages: ["lead" as const],
  steps: [
    { name: "Hello", years: 0, days: 2, priority: "high" as const, goal: "Say hello" },
    { name: "Birthday", years: 1, days: 0, priority: "low" as const, goal: null },
  ],
};

test("a plan that is not changed is the same again", () => {
  expect(planOf(valuesOf(PLAN))).toEqual(PLAN);
});

test("a new plan has a step on the next day, the next step is a week later", () => {
  const { steps } = valuesOf(null);
  expect(steps.map(({ days }) => days)).toEqual(["1"]);
  expect(nextStep(steps).days).toBe("8");
});
