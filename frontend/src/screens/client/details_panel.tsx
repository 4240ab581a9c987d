import { useZone } from "@/shell/me";
import { text } from "@/text/client";
import { text as fieldText } from "@/text/client_fields";
import { names } from "@/text/common";
import { day } from "@/time/zone";
import { Panel } from "@/ui/parts";
import type { Client } from "./queries";

/** What else is known of the client. */
export function DetailsPanel({ client }: { client: Client }) {
  const zone = useZone();
  const labels = fieldText.labels;
  const rows: [label: string, value: string | null][] = [
    [labels.property_type, names.propertyType[client.property_type]],
    [labels.source, client.source],
    [labels.lead_since, client.lead_since],
    [labels.greeting, client.greeting],
    [labels.language, client.language],
    [labels.time_zone, client.time_zone],
    [labels.review, fieldText.review[client.review ?? ""]],
    [text.lastContacted, client.last_contacted ? day(client.last_contacted, zone) : text.never],
    [text.added, day(client.created_at, zone)],
    ...Object.entries(client.custom_fields).map(
      ([name, value]) => [name, shown(value)] as [string, string],
    ),
    [labels.notes, client.notes],
  ];
  return (
    <Panel title={text.details}>
      <dl className="grid gap-x-4 gap-y-2 text-sm sm:grid-cols-3 xl:grid-cols-1">
        {rows.map(
          ([label, value]) =>
            value && (
              <div
                key={label}
                className={`min-w-0 ${label === labels.notes ? "sm:col-span-full" : ""}`}
              >
                <dt className="text-soft">{label}</dt>
                <dd className="whitespace-pre-wrap [overflow-wrap:anywhere]">{value}</dd>
              </div>
            ),
        )}
      </dl>
    </Panel>
  );
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
