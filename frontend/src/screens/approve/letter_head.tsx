import type { RefObject } from "react";
import { clientPage, Link } from "@/navigation";
import { useZone } from "@/shell/me";
import { text } from "@/text/approve";
import { departure } from "@/time/zone";
import { Badge } from "@/ui/parts";
import { type Draft, useClientName } from "./queries";

interface LetterHeadProps {
  draft: Draft;
  position: { index: number; count: number };
  heading: RefObject<HTMLHeadingElement | null>;
}

/** To whom the letter goes, when it leaves, and how long it waits. */
export function LetterHead({ draft, position: { index, count }, heading }: LetterHeadProps) {
  const zone = useZone();
  const name = useClientName(draft.client_id);
  return (
    <div>
      <div className="flex flex-wrap items-baseline justify-between gap-x-3 gap-y-1">
        <h2 ref={heading} tabIndex={-1} className="text-lg font-semibold outline-none">
          <Link href={clientPage(draft.client_id)} className="text-accent underline">
            {name ?? draft.to_email ?? text.openClient}
          </Link>
          <span className="font-normal text-soft"> · {draft.step ?? draft.followup_type}</span>
        </h2>
        {index >= 0 && (
          <p className="text-sm text-soft tabular-nums">{text.position(index + 1, count)}</p>
        )}
      </div>
      <p className="flex flex-wrap items-center gap-x-2 text-sm">
        {draft.status === "flagged" && <Badge tone="warn">{text.flagged}</Badge>}
        {draft.status === "approved" && <Badge tone="good">{text.approved}</Badge>}
        <span className="font-medium">
          {draft.due ? text.atOnce : text.leaves(departure(draft.scheduled_for, zone))}
        </span>
        {draft.expires_at && draft.status !== "approved" && (
          <span className="text-soft">{text.expires(departure(draft.expires_at, zone))}</span>
        )}
      </p>
    </div>
  );
}
