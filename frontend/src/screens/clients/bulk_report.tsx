import type { Schemas } from "@/api/client";
import { clientPage } from "@/navigation";
import { text } from "@/text/clients";

type Changed = Schemas["BulkOutcome"];

const OUTCOMES = ["done", "unchanged", "refused", "pending"] as const;
const SHOWN = 50;

/** How many clients were changed, and of those that were not which and why. */
export function BulkReport({ report }: { report: Schemas["BulkReport"] }) {
  const refused = report.outcomes.filter(({ outcome }) => outcome === "refused");
  return (
    <div role="status" className="grid gap-3 text-sm">
      <ul className="grid gap-1">
        {OUTCOMES.map(
          (outcome) =>
            report[outcome] > 0 && (
              <li key={outcome}>{text.outcomes[outcome](text.clients(report[outcome]))}</li>
            ),
        )}
      </ul>
      {[...byReason(refused)].map(([reason, changed]) => (
        <details key={reason}>
          <summary className="min-h-6">
            {text.clients(changed.length)}: {reason}
          </summary>
          <ul className="flex flex-wrap gap-x-4 pt-1 pl-4">
            {changed.slice(0, SHOWN).map(({ id }, index) => (
              <li key={id}>
                <a
                  href={clientPage(id)}
                  target="_blank"
                  rel="noopener"
                  className="inline-block min-h-6 text-accent underline"
                >
                  {text.openClient(index + 1)}
                </a>
              </li>
            ))}
          </ul>
        </details>
      ))}
    </div>
  );
}

function byReason(refused: Changed[]): Map<string, Changed[]> {
  const found = new Map<string, Changed[]>();
  for (const changed of refused) {
    const reason = changed.reason ?? "";
    found.set(reason, [...(found.get(reason) ?? []), changed]);
  }
  return found;
}
