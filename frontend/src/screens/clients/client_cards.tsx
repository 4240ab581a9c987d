import { clientPage, Link } from "@/navigation";
import { useZone } from "@/shell/me";
import { text } from "@/text/clients";
import { names } from "@/text/common";
import { dateTime } from "@/time/zone";
import { ClientBadges, type ListProps } from "./client_list";
import { Checkbox } from "./client_table";

/** The clients on a phone. */
export function ClientCards({ page, selecting }: ListProps) {
  const zone = useZone();
  const shown = page.rows.map(({ _id }) => _id);
  return (
    <ul className="divide-y divide-line rounded-box border border-line bg-surface">
      {page.rows.map((client) => (
        <li key={client._id} className="flex gap-3 p-3 text-sm">
          <Checkbox
            label={text.choose(client.name)}
            isChosen={selecting.isChosen(client._id)}
            onChange={(is) => selecting.choose([client._id], is, shown)}
          />
          <div className="grid min-w-0 flex-1 gap-0.5">
            <div className="flex items-baseline justify-between gap-3">
              <Link
                href={clientPage(client._id)}
                className="min-h-6 min-w-0 font-medium text-accent underline [overflow-wrap:anywhere]"
              >
                {client.name}
              </Link>
              <span className="shrink-0">{names.stage[client.stage]}</span>
            </div>
            <span className="truncate text-soft">{client.email}</span>
            {client.next_followup_at && (
              <span>
                <span className="text-soft">{text.next}: </span>
                {dateTime(client.next_followup_at, zone)}
              </span>
            )}
            <ClientBadges client={client} />
          </div>
        </li>
      ))}
    </ul>
  );
}
