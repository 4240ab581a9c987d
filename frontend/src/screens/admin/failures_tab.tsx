import { useQuery } from "@tanstack/react-query";
import { api, read, readPage, type Schemas, written } from "@/api/client";
import { useZone } from "@/shell/me";
import { text } from "@/text/admin";
import { names } from "@/text/common";
import { dateTime } from "@/time/zone";
import { useAct } from "@/ui/act";
import { BusyButton } from "@/ui/busy_button";
import { Button } from "@/ui/button";
import { Loaded } from "@/ui/loaded";
import { Pager, usePage } from "@/ui/pager";
import { Badge, Empty, Panel } from "@/ui/parts";
import { Table } from "@/ui/table";
import { tell } from "@/ui/toast";
import { AgentName } from "./agent_name";

type Task = Schemas["ListedTask"];

const LIMIT = 20;
const COLUMNS = [text.client, text.agent, text.followup, text.date, text.why, text.actions];

/** Follow-ups of all agents that failed, or of which nobody knows whether they were sent. */
export function FailuresTab() {
  const [page, goTo] = usePage();
  const query = useQuery({
    queryKey: ["tasks", "failures", page],
    queryFn: () => {
      const query = { status: ["failed" as const, "unknown" as const], page, limit: LIMIT };
      return readPage(api.GET("/api/admin/tasks", { params: { query } }));
    },
  });
  return (
    <Panel title={text.failures} aside={query.data && query.data.total > 0 && <RetryAll />}>
      <Loaded query={query}>
        {({ rows, total }) =>
          rows.length === 0 ? (
            <Empty title={text.noFailures}>{text.noFailuresHint}</Empty>
          ) : (
            <>
              <Table label={text.failures} columns={COLUMNS}>
                {rows.map((task) => (
                  <Row key={task._id} task={task} />
                ))}
              </Table>
              <Pager limit={LIMIT} total={total} page={page} onPage={goTo} />
            </>
          )
        }
      </Loaded>
    </Panel>
  );
}

function RetryAll() {
  const { mutate, isPending } = useAct(async () => {
    const params = { header: { "Idempotency-Key": crypto.randomUUID() } };
    const outcome = await read(api.POST("/api/admin/tasks/retry", { params, body: {} }));
    tell(text.retriedAll(outcome.retried + outcome.pending, outcome.refused, outcome.remaining));
  });
  return (
    <Button isBusy={isPending} title={text.retryAllHint} onClick={() => mutate()}>
      {text.retryAll}
    </Button>
  );
}

function Row({ task }: { task: Task }) {
  const zone = useZone();
  return (
    <tr className="align-top">
      <th scope="row">{task.client_name ?? "–"}</th>
      <td>
        <AgentName id={task.agent_id} />
      </td>
      <td className="whitespace-nowrap">
        {task.step ?? task.followup_type} <Badge tone="bad">{names.taskStatus[task.status]}</Badge>
      </td>
      <td className="whitespace-nowrap">{dateTime(task.scheduled_for, zone)}</td>
      <td className="min-w-56 break-words">{task.error_message}</td>
      <td>
        <Actions task={task} />
      </td>
    </tr>
  );
}

function Actions({ task }: { task: Task }) {
  if (task.status === "failed") {
    const params = { path: { task_id: task._id } };
    return (
      <BusyButton
        act={() => written(api.POST("/api/admin/tasks/{task_id}/retry", { params }))}
        done={text.retried}
      >
        {text.retry} <span className="sr-only">{task.client_name}</span>
      </BusyButton>
    );
  }
  const resolve = (resolution: Schemas["EmailResolutionKind"]) => {
    const params = { path: { email_id: task.email_sent_id ?? "" } };
    const body = { resolution };
    return written(api.POST("/api/admin/emails/{email_id}/resolve", { params, body }));
  };
  return (
    <div className="flex gap-2">
      <BusyButton act={() => resolve("sent")} done={text.settled}>
        {text.wasSent} <span className="sr-only">{task.client_name}</span>
      </BusyButton>
      <BusyButton act={() => resolve("resend")} done={text.settled}>
        {text.sendAgain} <span className="sr-only">{task.client_name}</span>
      </BusyButton>
    </div>
  );
}
