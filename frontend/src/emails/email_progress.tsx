import type { Schemas } from "@/api/client";
import { useZone } from "@/shell/me";
import { text } from "@/text/emails";
import { dateTime } from "@/time/zone";

type Sent = Pick<Schemas["EmailView"], "status" | "sent_at" | "opened_at" | "clicked_at">;

const DELIVERED: readonly Sent["status"][] = ["delivered", "opened", "clicked"];

/** Sent → delivered → opened → clicked, with the times that are known: that of delivery is not. */
export function EmailProgress({ email }: { email: Sent }) {
  const zone = useZone();
  const { status, sent_at, opened_at, clicked_at } = email;
  const sent = [text.sent, sent_at !== null, sent_at] as const;
  const steps =
    status === "bounced"
      ? [sent, [text.bounced, true, null] as const]
      : [
          sent,
          [text.delivered, DELIVERED.includes(status), null] as const,
          [text.opened, opened_at !== null, opened_at] as const,
          [text.clicked, clicked_at !== null, clicked_at] as const,
        ];
  return (
    <ol className="flex flex-wrap gap-x-2 text-sm text-soft tabular-nums">
      {steps.map(([step, isReached, at], index) => (
        <li key={step} className={isReached ? "text-ink" : ""}>
          {index > 0 && <span aria-hidden>→ </span>}
          {step} {at && <time dateTime={at}>{dateTime(at, zone)}</time>}
          {!isReached && text.notYet}
        </li>
      ))}
    </ol>
  );
}
