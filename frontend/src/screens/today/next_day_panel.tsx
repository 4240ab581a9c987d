import { useQuery } from "@tanstack/react-query";
import { api, readPage } from "@/api/client";
import { clientPage, Link } from "@/navigation";
import { useZone } from "@/shell/me";
import { names } from "@/text/common";
import { text } from "@/text/today";
import { dateTime } from "@/time/zone";
import { Loaded } from "@/ui/loaded";
import { Badge, Empty, Panel } from "@/ui/parts";

const DAY_MS = 86_400_000;
const SHOWN = 8;

/** The follow-ups of the next 24 hours, the earliest first. */
export function NextDayPanel() {
  const zone = useZone();
  const query = useQuery({
    queryKey: ["tasks", "next day"],
    queryFn: () => {
      const now = Date.now();
      return readPage(
        api.GET("/api/tasks", {
          params: {
            query: {
              status: ["pending", "due", "written", "composed"],
              due_after: new Date(now).toISOString(),
              due_before: new Date(now + DAY_MS).toISOString(),
              limit: SHOWN,
            },
          },
        }),
      );
    },
  });
  return (
    <Panel
      title={text.next}
      aside={
        <Link href="/followups/" className="text-accent underline">
          {text.allFollowups}
        </Link>
      }
    >
      <Loaded query={query}>
        {({ rows, total }) =>
          rows.length === 0 ? (
            <Empty title={text.nothingNext}>{text.nothingNextHint}</Empty>
          ) : (
            <>
              <ul className="divide-y divide-line">
                {rows.map((task) => (
                  <li key={task._id} className="flex flex-wrap items-center gap-x-3 gap-y-1 py-2">
                    <span className="w-36 text-sm text-soft tabular-nums">
                      {dateTime(task.scheduled_for, zone)}
                    </span>
                    <Link
                      href={clientPage(task.client_id)}
                      className="min-w-0 flex-1 truncate underline"
                    >
                      {task.client_name}
                    </Link>
                    <span className="text-sm">{task.step ?? task.followup_type}</span>
                    <Badge>{names.taskStatus[task.status]}</Badge>
                  </li>
                ))}
              </ul>
              {total > rows.length && (
                <p className="pt-2 text-sm text-soft">{text.more(total - rows.length)}</p>
              )}
            </>
          )
        }
      </Loaded>
    </Panel>
  );
}
