import type { Schemas } from "@/api/client";
import { isOpen, nameOf } from "@/followups/followup";
import { FollowupMenu } from "@/followups/followup_menu";
import { useZone } from "@/shell/me";
import { text } from "@/text/client";
import { names } from "@/text/common";
import { dateTime, departure } from "@/time/zone";

type Task = Schemas["TaskView"];

const LOOKS: Record<Task["status"], string> = {
  pending: "border-line",
  due: "border-accent",
  written: "border-accent bg-accent-wash",
  composed: "border-accent",
  sent: "border-good bg-good-wash",
  failed: "border-bad bg-bad-wash",
  cancelled: "border-line bg-sunken text-soft",
  withheld: "border-line bg-sunken text-soft",
  unknown: "border-warn bg-warn-wash",
};

/** A follow-up: its name and status, its date, and what can be done with it. */
export function Step({ step }: { step: Task }) {
  const zone = useZone();
  const at = step.status === "sent" ? step.updated_at : step.scheduled_for;
  return (
    <li className={`rounded-box border py-2 pr-1 pl-3 ${LOOKS[step.status]}`}>
      <div className="flex items-start justify-between gap-1">
        <p className="min-w-0 text-sm font-medium [overflow-wrap:anywhere]">
          {nameOf(step)}: {names.taskStatus[step.status]}
        </p>
        <FollowupMenu task={step} name={nameOf(step)} />
      </div>
      <div className="pr-2 text-sm text-soft">
        <time dateTime={at}>{dateTime(at, zone)}</time>
        {step.postponed && isOpen(step) && (
          <p>{text.waitsUntil(departure(step.postponed.until, zone))}</p>
        )}
        {step.error_message && <p className="text-bad">{step.error_message}</p>}
      </div>
    </li>
  );
}
