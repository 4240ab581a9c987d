import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, readPage, type Schemas, written } from "@/api/client";
import { useZone } from "@/shell/me";
import { text } from "@/text/settings";
import { dateTime } from "@/time/zone";
import { BusyButton } from "@/ui/busy_button";
import { Loaded } from "@/ui/loaded";
import { Pager } from "@/ui/pager";
import { Badge, Panel } from "@/ui/parts";
import { Table } from "@/ui/table";
import { deviceOf } from "./device";

type Session = Schemas["AgentSession"];

const LIMIT = 10;
const COLUMNS = [text.device, text.loggedIn, text.lastUsed, text.actions];

/** Where the agent is logged in, and how to end it from here. */
export function SessionsPanel() {
  const [page, setPage] = useState(1);
  const query = useQuery({
    queryKey: ["sessions", page],
    queryFn: () =>
      readPage(api.GET("/api/auth/sessions", { params: { query: { page, limit: LIMIT } } })),
  });
  return (
    <Panel
      title={text.sessionsTitle}
      aside={
        <BusyButton act={() => written(api.DELETE("/api/auth/sessions"))} done={text.othersEnded}>
          {text.endOthers}
        </BusyButton>
      }
    >
      <p className="mb-3 max-w-prose text-sm text-soft">{text.sessionsHint}</p>
      <Loaded query={query}>
        {({ rows, total }) => (
          <>
            <Table label={text.sessionsTitle} columns={COLUMNS}>
              {rows.map((session) => (
                <SessionRow key={session._id} session={session} />
              ))}
            </Table>
            <Pager limit={LIMIT} total={total} page={page} onPage={setPage} />
          </>
        )}
      </Loaded>
    </Panel>
  );
}

function SessionRow({ session }: { session: Session }) {
  const zone = useZone();
  const device = deviceOf(session.user_agent);
  const shown = (instant: string | null) => (instant ? dateTime(instant, zone) : text.never);
  return (
    <tr>
      <th scope="row" className="[overflow-wrap:anywhere]">
        {device}
      </th>
      <td className="whitespace-nowrap">{shown(session.began_at)}</td>
      <td className="whitespace-nowrap">{shown(session.last_used_at)}</td>
      <td>
        {session.is_current ? (
          <Badge tone="good">{text.thisSession}</Badge>
        ) : (
          <BusyButton
            look="danger"
            act={() =>
              written(
                api.DELETE("/api/auth/sessions/{session_id}", {
                  params: { path: { session_id: session._id } },
                }),
              )
            }
            done={text.sessionEnded}
          >
            {text.endSession} <span className="sr-only">{device}</span>
          </BusyButton>
        )}
      </td>
    </tr>
  );
}
