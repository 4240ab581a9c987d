import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, readPage, type Schemas } from "@/api/client";
import { clientPage, Link, useQueryState } from "@/navigation";
import { useZone } from "@/shell/me";
import { names } from "@/text/common";
import { text } from "@/text/suppressions";
import { dateTime } from "@/time/zone";
import { Button } from "@/ui/button";
import { Select } from "@/ui/field";
import { Loaded } from "@/ui/loaded";
import { Pager, usePage } from "@/ui/pager";
import { Empty, Panel } from "@/ui/parts";
import { Table } from "@/ui/table";
import { ReleaseDialog } from "./release_dialog";

type Suppression = Schemas["SuppressionView"];

const LIMIT = 20;
const COLUMNS = [text.address, text.reason, text.source, text.since, text.actions];
const REASONS = Object.entries(names.suppression) as [Schemas["SuppressionReason"], string][];

/** Addresses that the agent must not write to, and the way to write to them again. */
export function SuppressionsPanel() {
  const [query, change] = useQueryState();
  const [page, goTo] = usePage();
  const [released, setReleased] = useState<Suppression>();
  const reason = REASONS.map(([name]) => name).find((name) => name === query.get("reason"));
  const found = useQuery({
    queryKey: ["suppressions", reason, page],
    queryFn: () => {
      const query = { page, limit: LIMIT, ...(reason && { reason: [reason] }) };
      return readPage(api.GET("/api/suppressions", { params: { query } }));
    },
  });
  return (
    <Panel title={text.title}>
      <p className="mb-3 max-w-prose text-sm text-soft">{text.hint}</p>
      <div className="mb-3 max-w-56">
        <Select
          label={text.filter}
          value={reason ?? ""}
          onChange={(event) => change({ reason: event.target.value || null, page: null })}
          options={[["", text.all], ...REASONS]}
        />
      </div>
      <Loaded query={found}>
        {({ rows, total }) =>
          rows.length === 0 ? (
            <Empty title={text.none}>{text.noneHint}</Empty>
          ) : (
            <>
              <Table label={text.title} columns={COLUMNS}>
                {rows.map((row) => (
                  <Row key={row._id} row={row} onRelease={() => setReleased(row)} />
                ))}
              </Table>
              <Pager limit={LIMIT} total={total} page={page} onPage={goTo} />
            </>
          )
        }
      </Loaded>
      {released && <ReleaseDialog suppression={released} onClose={() => setReleased(undefined)} />}
    </Panel>
  );
}

function Row({ row, onRelease }: { row: Suppression; onRelease(): void }) {
  const zone = useZone();
  return (
    <tr>
      <th scope="row">
        {row.client_id ? (
          <Link href={clientPage(row.client_id)} className="underline">
            {row.email}
          </Link>
        ) : (
          row.email
        )}
      </th>
      <td className="whitespace-nowrap">{names.suppression[row.reason]}</td>
      <td>{row.source ? (text.sources[row.source] ?? row.source) : "–"}</td>
      <td className="whitespace-nowrap">{dateTime(row.suppressed_at, zone)}</td>
      <td>
        <Button onClick={onRelease}>
          {text.release} <span className="sr-only">{row.email}</span>
        </Button>
      </td>
    </tr>
  );
}
