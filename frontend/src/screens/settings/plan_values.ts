import type { Schemas } from "@/api/client";

/** A plan, as its form has it: days and years are what is typed. */
export interface PlanValues {
  name: string;
  stages: Schemas["Stage"][];
  steps: StepValues[];
}

export interface StepValues {
  name: string;
  years: string;
  days: string;
  priority: Schemas["Priority"];
  goal: string;
}

/** Return the plan for its form; without one, a plan of one empty step. */
export function valuesOf(
  plan: Pick<Schemas["SequenceView"], "name" | "stages" | "steps"> | null,
): PlanValues {
  if (!plan) return { name: "", stages: [], steps: [nextStep([])] };
  const steps = plan.steps.map(({ name, years, days, priority, goal }) => ({
    name,
    years: String(years),
    days: String(days),
    priority,
    goal: goal ?? "",
  }));
  return { name: plan.name, stages: [...plan.stages], steps };
}

const BETWEEN = 7;

/** Return a step to go on with: a week after the last one. */
export function nextStep(steps: readonly StepValues[]): StepValues {
  const last = steps.at(-1);
  const days = last ? String(Number(last.days) + BETWEEN) : "1";
  return { name: "", years: last?.years ?? "0", days, priority: "medium", goal: "" };
}

/** Return the plan for the API, which says what is wrong with it. */
export function planOf({ name, stages, steps }: PlanValues): Schemas["NewSequence"] {
  return {
    name,
    stages,
    steps: steps.map(({ years, days, goal, ...step }) => ({
      ...step,
      years: Number(years),
      days: Number(days),
      goal: goal.trim() || null,
    })),
  };
}
