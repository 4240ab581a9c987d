import type { Schemas } from "@/api/client";
import { names } from "@/text/common";
import { Badge, type Tone } from "@/ui/parts";

type TaskStatus = Schemas["TaskStatus"];

const TONES: Partial<Record<TaskStatus, Tone>> = {
  due: "accent",
  written: "accent",
  composed: "accent",
  sent: "good",
  failed: "bad",
  unknown: "warn",
  withheld: "warn",
};

/** How far a follow-up has come, in a word. */
export function StatusBadge({ status }: { status: TaskStatus }) {
  return <Badge tone={TONES[status] ?? "plain"}>{names.taskStatus[status]}</Badge>;
}
