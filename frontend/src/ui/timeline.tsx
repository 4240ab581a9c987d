import type { Schemas } from "@/api/client";
import { clientPage, Link } from "@/navigation";
import { useZone } from "@/shell/me";
import { dateTime } from "@/time/zone";

interface TimelineProps {
  entries: Schemas["TimelineEntry"][];
  /** Whether each entry names its client. */
  withClients?: boolean;
}

/** Events in words, as the API tells them, the newest first. */
export function Timeline({ entries, withClients = false }: TimelineProps) {
  const zone = useZone();
  return (
    <ol className="divide-y divide-line">
      {entries.map((entry) => (
        <li key={entry.id} className="flex flex-wrap gap-x-3 gap-y-0.5 py-2 text-sm">
          <time dateTime={entry.at} className="w-36 text-soft tabular-nums">
            {dateTime(entry.at, zone)}
          </time>
          <span className="min-w-0 flex-1 basis-52">
            {withClients && entry.client_name && (
              <>
                <Link href={clientPage(entry.client_id)} className="font-medium underline">
                  {entry.client_name}
                </Link>
                {": "}
              </>
            )}
            {entry.words}
            {entry.subject && <span className="text-soft"> “{entry.subject}”</span>}
          </span>
        </li>
      ))}
    </ol>
  );
}
