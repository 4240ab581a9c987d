import type { UseQueryResult } from "@tanstack/react-query";
import type { Schemas } from "@/api/client";
import { Link } from "@/navigation";
import { text } from "@/text/today";
import { Loaded } from "@/ui/loaded";
import { Panel, Skeleton } from "@/ui/parts";

type Stats = Schemas["DashboardStats"];
type TaskStatus = Schemas["TaskStatus"];

/** The four counts that follow-ups pass through, and the statuses that each has. */
const STEPS: readonly (readonly [keyof typeof text.pipelineSteps, readonly TaskStatus[]])[] = [
  ["pending", ["pending"]],
  ["due", ["due"]],
  ["composed", ["written", "composed"]],
  ["sent", ["sent"]],
];

/** Follow-ups on their way, as counts that move. */
export function PipelinePanel({ stats }: { stats: UseQueryResult<Stats> }) {
  return (
    <Panel title={text.pipeline} aside={stats.data && text.sentToday(stats.data.sent_today)}>
      <Loaded query={stats} skeleton={<Skeleton className="h-16" />}>
        {({ followups_by_status: counts }) => (
          <ol className="grid grid-cols-2 gap-2 sm:grid-cols-4">
            {STEPS.map(([step, statuses]) => (
              <li key={step}>
                <Link
                  href={`/followups/?${statuses.map((status) => `status=${status}`).join("&")}`}
                  className="block rounded-box bg-sunken px-3 py-2 hover:bg-accent-wash"
                >
                  <span className="block text-2xl font-semibold tabular-nums">
                    {statuses.reduce((sum, status) => sum + (counts[status] ?? 0), 0)}
                  </span>
                  <span className="text-sm text-soft">{text.pipelineSteps[step]}</span>
                </Link>
              </li>
            ))}
          </ol>
        )}
      </Loaded>
    </Panel>
  );
}
