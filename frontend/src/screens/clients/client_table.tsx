import { clientPage, Link, useQueryState } from "@/navigation";
import { useZone } from "@/shell/me";
import { text } from "@/text/clients";
import { names } from "@/text/common";
import { dateTime, day } from "@/time/zone";
import { ClientBadges, type ListProps } from "./client_list";
import type { ListedClient } from "./queries";
import type { Selecting } from "./selection";

/** The orders that a column's heading can give: at first press, then the other way. */
const ORDERS = {
  name: ["name", "-name"],
  last_contacted: ["-last_contacted", "last_contacted"],
  created_at: ["-created_at", "created_at"],
} as const;

export function ClientTable({ state, page, selecting }: ListProps) {
  const shown = page.rows.map(({ _id }) => _id);
  const chosen = shown.filter(selecting.isChosen).length;
  return (
    <section
      aria-label={text.list}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by the keyboard.
      tabIndex={0}
      className="overflow-x-auto rounded-box border border-line bg-surface"
    >
      <table className="w-full min-w-[50rem] text-left text-sm [&_td]:px-2 [&_td]:py-2 [&_th]:px-2 [&_th]:py-2">
        <thead className="border-b border-line text-soft">
          <tr>
            <td className="w-10 pl-3!">
              <Checkbox
                label={text.choosePage}
                isChosen={chosen === shown.length}
                isPartly={chosen > 0}
                onChange={(isChosen) => selecting.choose(shown, isChosen, shown)}
              />
            </td>
            <Heading label={text.name} order="name" sort={state.sort} />
            <Heading label={text.stage} />
            <Heading label={text.property} />
            <Heading label={text.nextFollowup} />
            <Heading label={text.lastEmail} />
            <Heading label={text.lastContacted} order="last_contacted" sort={state.sort} />
            <Heading label={text.added} order="created_at" sort={state.sort} />
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {page.rows.map((client) => (
            <Row key={client._id} client={client} selecting={selecting} shown={shown} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface HeadingProps {
  label: string;
  order?: keyof typeof ORDERS;
  sort?: string;
}

function Heading({ label, order, sort }: HeadingProps) {
  const [, change] = useQueryState();
  if (!order) {
    return (
      <th scope="col" className="font-medium">
        {label}
      </th>
    );
  }
  const [first, second] = ORDERS[order];
  const isSorted = sort === first || sort === second;
  const isDescending = sort?.startsWith("-");
  return (
    <th
      scope="col"
      aria-sort={isSorted ? (isDescending ? "descending" : "ascending") : undefined}
      className="font-medium"
    >
      <button
        type="button"
        className="min-h-6 text-left hover:text-ink"
        onClick={() => change({ sort: sort === first ? second : first, page: null })}
      >
        {label}
        {isSorted && <span aria-hidden>{isDescending ? " ↓" : " ↑"}</span>}
      </button>
    </th>
  );
}

interface RowProps {
  client: ListedClient;
  selecting: Selecting;
  shown: readonly string[];
}

function Row({ client, selecting, shown }: RowProps) {
  const zone = useZone();
  const isChosen = selecting.isChosen(client._id);
  return (
    <tr className={isChosen ? "bg-accent-wash" : "hover:bg-sunken"}>
      <td className="pl-3! align-top">
        <Checkbox
          label={text.choose(client.name)}
          isChosen={isChosen}
          onChange={(is) => selecting.choose([client._id], is, shown)}
        />
      </td>
      <th scope="row" className="max-w-64 align-top font-normal">
        <Link
          href={clientPage(client._id)}
          className="font-medium text-accent underline [overflow-wrap:anywhere]"
        >
          {client.name}
        </Link>
        <span className="block truncate text-soft">{client.email}</span>
        <ClientBadges client={client} />
      </th>
      <td className="align-top whitespace-nowrap">{names.stage[client.stage]}</td>
      <td className="max-w-48 align-top">
        {names.propertyType[client.property_type]}
        {client.property_address && (
          <span className="block truncate text-soft">{client.property_address}</span>
        )}
      </td>
      <td className="align-top whitespace-nowrap tabular-nums">
        {client.next_followup_at ? dateTime(client.next_followup_at, zone) : <Dash />}
      </td>
      <td className="align-top whitespace-nowrap">
        {client.last_email_status ? names.emailStatus[client.last_email_status] : <Dash />}
      </td>
      <td className="align-top whitespace-nowrap tabular-nums">
        {client.last_contacted ? day(client.last_contacted, zone) : <Dash words={text.never} />}
      </td>
      <td className="align-top whitespace-nowrap tabular-nums">{day(client.created_at, zone)}</td>
    </tr>
  );
}

function Dash({ words = text.nothing }: { words?: string }) {
  return <span className="text-soft">{words}</span>;
}

interface CheckboxProps {
  label: string;
  isChosen: boolean;
  /** Some of what it stands for are chosen. */
  isPartly?: boolean;
  onChange(isChosen: boolean): void;
}

/** A box of its own, large enough for a finger. */
export function Checkbox({ label, isChosen, isPartly = false, onChange }: CheckboxProps) {
  return (
    <input
      type="checkbox"
      aria-label={label}
      checked={isChosen}
      ref={(box) => {
        if (box) box.indeterminate = isPartly && !isChosen;
      }}
      onChange={({ target }) => onChange(target.checked)}
      className="size-6 cursor-pointer sm:size-5"
    />
  );
}
