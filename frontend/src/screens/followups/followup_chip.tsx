"use client";

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
export function FollowupChip({ followup }: { followup: Followup }) {
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

interface MoreLinkProps {
  day: CalendarDate;
  more: number;
  statuses: string;
}

/** The way to the follow-ups of a day that are not shown. */
export function MoreLink({ day, more, statuses }: MoreLinkProps) {
  const { query } = useNavigation();
  if (more <= 0) return null;
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
