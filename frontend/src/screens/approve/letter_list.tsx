import { Link } from "@/navigation";
import { useZone } from "@/shell/me";
import { text } from "@/text/approve";
import { departure } from "@/time/zone";
import { Badge } from "@/ui/parts";
import type { ListedDraft } from "./queries";

interface LetterListProps {
  drafts: readonly ListedDraft[];
  total: number;
  shown: string | null;
}

/** The letters that wait, the longest waiting first. */
export function LetterList({ drafts, total, shown }: LetterListProps) {
  const zone = useZone();
  return (
    <nav
      aria-label={text.letters}
      className="rounded-box border border-line bg-surface lg:max-h-[calc(100dvh-9rem)] lg:overflow-y-auto"
    >
      <p role="status" className="border-b border-line px-3 py-2 text-sm text-soft">
        {text.waiting(total)}
      </p>
      <ol className="divide-y divide-line">
        {drafts.map((draft) => (
          <li key={draft._id}>
            <Link
              href={`/approve/?task=${draft._id}`}
              aria-current={draft._id === shown ? "true" : undefined}
              className="grid gap-0.5 px-3 py-2 text-sm hover:bg-sunken aria-[current=true]:bg-accent-wash"
            >
              <span className="flex items-baseline justify-between gap-2">
                <span className="truncate font-medium">{draft.client_name ?? draft.to_email}</span>
                <span className="shrink-0 text-soft">{draft.step ?? draft.followup_type}</span>
              </span>
              <span className="truncate">{draft.subject}</span>
              <span className="flex flex-wrap items-center justify-between gap-2 text-soft">
                {draft.due ? text.atOnce : text.leaves(departure(draft.scheduled_for, zone))}
                {draft.status === "flagged" && <Badge tone="warn">{text.flagged}</Badge>}
              </span>
            </Link>
          </li>
        ))}
      </ol>
    </nav>
  );
}
