import type { CalendarDate } from "@internationalized/date";
import { nameOf } from "@/followups/followup";
import { FollowupMenu } from "@/followups/followup_menu";
import { Link, useNavigation } from "@/navigation";
import { useZone } from "@/shell/me";
import { names } from "@/text/common";
import { text } from "@/text/followups";
import { dayName } from "@/time/calendar";
import { time } from "@/time/zone";
import type { Followup } from "./days";
import { tableOf } from "./list_state";

type Status = Followup["status"];

/** A sign for each status but the usual one, so that it is seen without its color. */
const SIGNS: Partial<Record<Status, string>> = {
  due: "●",
  written: "✎",
  composed: "➤",
  sent: "✓",
  failed: "✕",
  unknown: "?",
  cancelled: "–",
  withheld: "–",
};

const LOOKS: Partial<Record<Status, string>> = {
  due: "bg-accent-wash text-accent",
  written: "bg-accent-wash text-accent",
  composed: "bg-accent-wash text-accent",
  sent: "bg-good-wash text-good",
  failed: "bg-bad-wash text-bad",
  unknown: "bg-warn-wash text-warn",
};

/** A follow-up in a calendar: its time and client; a press shows what can be done with it. */
function FollowupChip({ followup }: { followup: Followup }) {
  const zone = useZone();
  const { status, scheduled_for, client_name } = followup;
  const name = client_name ?? text.deletedClient;
  return (
    <FollowupMenu
      task={followup}
      name={text.of(nameOf(followup), name)}
      className={`flex min-h-6 w-full items-center gap-1 rounded px-1.5 text-left text-xs hover:underline ${LOOKS[status] ?? "bg-sunken text-ink"}`}
      label={
        <>
          <span className="truncate">
            <span aria-hidden>{SIGNS[status] && `${SIGNS[status]} `}</span>
            <span className="tabular-nums">{time(scheduled_for, zone)}</span> {name}
          </span>
          <span className="sr-only">, {names.taskStatus[status]}. </span>
        </>
      }
    />
  );
}

interface DayProps {
  day: CalendarDate;
  rows: readonly Followup[];
  /** How many the day has, of which not all may be shown. */
  total: number;
  statuses: string;
}

/** The follow-ups of a day, and the way to those that are not shown. */
export function FollowupsOfDay({ day, rows, total, statuses }: DayProps) {
  return (
    <>
      <ul className="grid gap-1">
        {rows.map((followup) => (
          <li key={followup._id} className="min-w-0">
            <FollowupChip followup={followup} />
          </li>
        ))}
      </ul>
      {total > rows.length && <MoreLink day={day} more={total - rows.length} statuses={statuses} />}
    </>
  );
}

interface MoreLinkProps {
  day: CalendarDate;
  more: number;
  statuses: string;
}

function MoreLink({ day, more, statuses }: MoreLinkProps) {
  const { query } = useNavigation();
  return (
    <Link
      href={tableOf(day, query, statuses)}
      className="mt-1 inline-block min-h-6 px-1.5 text-xs text-accent underline"
    >
      {text.more(more)}
      <span className="sr-only">{text.moreOf(dayName(day))}</span>
    </Link>
  );
}
