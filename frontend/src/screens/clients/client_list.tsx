import type { Page } from "@/api/client";
import { leavingClients } from "@/client_form/leaving";
import { useStore } from "@/store";
import { text } from "@/text/clients";
import { names } from "@/text/common";
import { Pager, usePage } from "@/ui/pager";
import { Badge } from "@/ui/parts";
import { useMedia } from "@/ui/use_media";
import { ClientCards } from "./client_cards";
import { ClientTable } from "./client_table";
import { isExact, type ListState, PAGE_SIZE } from "./list_state";
import type { ListedClient } from "./queries";
import type { Selecting } from "./selection";

export interface ListProps {
  state: ListState;
  page: Page<ListedClient>;
  selecting: Selecting;
}

/** A page of clients: a table, on phones cards. */
export function ClientList(props: ListProps) {
  const { state, page } = props;
  const [, onPage] = usePage();
  const List = useMedia("(min-width: 48rem)") ? ClientTable : ClientCards;
  return (
    <>
      <List {...props} />
      <Pager
        limit={PAGE_SIZE}
        total={page.total}
        totalWords={
          page.total.toLocaleString("en") + (isExact(state.filter, page.total) ? "" : "+")
        }
        page={state.page}
        onPage={onPage}
        hasNext={page.hasNext}
      />
    </>
  );
}

/** What has to be known of a client beside its stage. */
export function ClientBadges({ client }: { client: ListedClient }) {
  const isLeaving = useStore(leavingClients).has(client._id);
  return (
    <span className="flex flex-wrap gap-1 empty:hidden">
      {isLeaving && <Badge tone="bad">{text.leaving}</Badge>}
      {client.needs_attention && <Badge tone="accent">{text.needsAttention}</Badge>}
      {client.email_status && <Badge tone="bad">{names.suppression[client.email_status]}</Badge>}
      {client.replied_at && <Badge tone="good">{text.replied}</Badge>}
      {client.plan_paused && <Badge tone="warn">{text.paused}</Badge>}
    </span>
  );
}
