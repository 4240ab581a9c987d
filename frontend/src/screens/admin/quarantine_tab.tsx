import { useQuery } from "@tanstack/react-query";
import { api, read } from "@/api/client";
import { useZone } from "@/shell/me";
import { text } from "@/text/admin";
import { dateTime } from "@/time/zone";
import { Loaded } from "@/ui/loaded";
import { Empty, Panel } from "@/ui/parts";
import { Table } from "@/ui/table";

/** Records that no service could handle. The API reads whole topics for it: it is asked for once. */
export function QuarantineTab() {
  const zone = useZone();
  const query = useQuery({
    queryKey: ["quarantine"],
    queryFn: () => read(api.GET("/api/admin/quarantine")),
    gcTime: 0,
    meta: { still: true },
  });
  return (
    <Panel title={text.quarantine}>
      <p className="mb-3 max-w-prose text-sm text-soft">{text.quarantineHint}</p>
      <Loaded query={query}>
        {(records) =>
          records.length === 0 ? (
            <Empty title={text.noQuarantine} />
          ) : (
            <Table label={text.quarantine} columns={[text.record, text.type, text.at, text.reason]}>
              {records.map((record) => (
                <tr key={record.name} className="align-top">
                  <th scope="row" className="font-mono">
                    {record.name}
                  </th>
                  <td>{record.type}</td>
                  <td className="whitespace-nowrap">{dateTime(record.at, zone)}</td>
                  <td className="min-w-56 break-words">{record.reason}</td>
                </tr>
              ))}
            </Table>
          )
        }
      </Loaded>
    </Panel>
  );
}
