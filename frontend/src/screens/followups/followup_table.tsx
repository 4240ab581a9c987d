import type { Schemas } from "@/api/client";
import { EmailBadge } from "@/emails/email_badge";
import { isOpen, nameOf } from "@/followups/followup";
import { FollowupMenu } from "@/followups/followup_menu";
import { clientPage, Link, useQueryState } from "@/navigation";
import { useZone } from "@/shell/me";
import { names } from "@/text/common";
import { text } from "@/text/followups";
import { dateTime, departure } from "@/time/zone";
import type { Followup } from "./days";
import { StatusBadge } from "./status_badge";

const COLUMNS = [text.client, text.step, text.priority, text.status, text.email];

interface FollowupTableProps {
  followups: Followup[];
  sort: Schemas["TaskSort"];
}

/** A row for each follow-up, with what can be done with it. */
export function FollowupTable({ followups, sort }: FollowupTableProps) {
  return (
    <section
      aria-label={text.list}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by the keyboard.
      tabIndex={0}
      className="relative overflow-x-auto rounded-box border border-line bg-surface"
    >
      <table className="w-full min-w-[50rem] text-left text-sm [&_td]:px-3 [&_td]:py-2 [&_td]:align-top [&_th]:px-3 [&_th]:py-2 [&_tbody_th]:align-top">
        <thead className="border-b border-line text-soft">
          <tr>
            <DueHeading sort={sort} />
            {COLUMNS.map((label) => (
              <th key={label} scope="col" className="font-medium">
                {label}
              </th>
            ))}
            <th scope="col" className="w-10">
              <span className="sr-only">{text.actions}</span>
            </th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {followups.map((followup) => (
            <Row key={followup._id} followup={followup} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The heading of the column that gives the order; a press turns it. */
function DueHeading({ sort }: Pick<FollowupTableProps, "sort">) {
  const [, change] = useQueryState();
  const isAscending = sort === "scheduled_for";
  return (
    <th scope="col" aria-sort={isAscending ? "ascending" : "descending"} className="font-medium">
      <button
        type="button"
        className="min-h-6 text-left hover:text-ink"
        onClick={() => change({ sort: isAscending ? "-scheduled_for" : null, page: null })}
      >
        {text.due}
        <span aria-hidden>{isAscending ? " ↑" : " ↓"}</span>
      </button>
    </th>
  );
}

function Row({ followup }: { followup: Followup }) {
  const zone = useZone();
  const { client_name, postponed, error_message, subject, email_status } = followup;
  return (
    <tr className="hover:bg-sunken">
      <td className="whitespace-nowrap tabular-nums">
        <time dateTime={followup.scheduled_for}>{dateTime(followup.scheduled_for, zone)}</time>
      </td>
      <th scope="row" className="max-w-56 font-normal">
        {client_name === null ? (
          text.deletedClient
        ) : (
          <Link
            href={clientPage(followup.client_id)}
            className="inline-block min-h-6 font-medium text-accent underline [overflow-wrap:anywhere]"
          >
            {client_name}
          </Link>
        )}
      </th>
      <td className="[overflow-wrap:anywhere]">{nameOf(followup)}</td>
      <td>{names.priority[followup.priority]}</td>
      <td className="max-w-56">
        <StatusBadge status={followup.status} />
        {postponed && isOpen(followup) && (
          <p className="text-soft">{text.waitsUntil(departure(postponed.until, zone))}</p>
        )}
        {error_message && <p className="text-bad [overflow-wrap:anywhere]">{error_message}</p>}
      </td>
      <td className="max-w-64">
        {email_status ? (
          <>
            <EmailBadge status={email_status} />
            {subject && <p className="truncate text-soft">{subject}</p>}
          </>
        ) : (
          <span className="text-soft">{text.nothing}</span>
        )}
      </td>
      <td>
        <FollowupMenu
          task={followup}
          name={text.of(nameOf(followup), client_name ?? text.deletedClient)}
        />
      </td>
    </tr>
  );
}
