import type { Schemas } from "@/api/client";
import { names } from "@/text/common";
import { Badge, type Tone } from "@/ui/parts";

type EmailStatus = Schemas["EmailStatus"];

const TONES: Partial<Record<EmailStatus, Tone>> = {
  delivered: "good",
  opened: "good",
  clicked: "good",
  bounced: "bad",
  failed: "bad",
  unknown: "warn",
  withheld: "warn",
};

/** How far an email has come, in a word. */
export function EmailBadge({ status }: { status: EmailStatus }) {
  return <Badge tone={TONES[status] ?? "plain"}>{names.emailStatus[status]}</Badge>;
}
