import type { Schemas } from "@/api/client";

export type Task = Schemas["TaskView"];

/** Whether the follow-up may still be sent, and be cancelled. */
export function isOpen({ status }: Task): boolean {
  return ["pending", "due", "written", "composed"].includes(status);
}

/** What the follow-up is called in its plan. */
export function nameOf({ step, followup_type }: Task): string {
  return step ?? followup_type;
}
