import { useCallback, useEffect, useState } from "react";
import { useNavigation, useQueryState } from "@/navigation";
import { useShortcut } from "@/shell/shortcuts";
import { text } from "@/text/clients";
import { Button } from "@/ui/button";
import { Loaded } from "@/ui/loaded";
import { PageHead, Skeleton } from "@/ui/parts";
import type { BulkChoice } from "./bulk";
import { BulkBar } from "./bulk_bar";
import { BulkDialog } from "./bulk_dialog";
import { ClientList } from "./client_list";
import { FilterBar } from "./filter_bar";
import { listState } from "./list_state";
import { NewClientDialog } from "./new_client_dialog";
import { NoClients } from "./no_clients";
import { useClients, useCounts } from "./queries";
import { useSelection } from "./selection";
import { StageChips } from "./stage_chips";

/** All clients: found, narrowed and ordered by the server; the address says how. */
export default function ClientsScreen() {
  const { path, query, go } = useNavigation();
  const state = listState(query);
  const clients = useClients(state);
  const counts = useCounts(state.filter);
  const selecting = useSelection(state.filter);
  const [bulk, setBulk] = useState<BulkChoice>();
  const closeBulk = () => setBulk(undefined);
  return (
    <>
      <PageHead title={text.title}>
        <NewClient />
      </PageHead>
      <div className="grid gap-3">
        <div className="flex flex-wrap items-center gap-2">
          <StageChips counts={counts.data} chosen={state.filter.stage ?? []} />
          {Object.keys(state.filter).length > 0 && (
            <Button look="quiet" onClick={() => go(path)}>
              {text.clearFilters}
            </Button>
          )}
        </div>
        <FilterBar state={state} />
        <Loaded query={clients} skeleton={<Skeleton className="h-[60dvh]" />}>
          {(page) =>
            page.rows.length === 0 ? (
              <NoClients state={state} total={page.total} />
            ) : (
              <>
                <BulkBar state={state} page={page} selecting={selecting} onChoose={setBulk} />
                <ClientList state={state} page={page} selecting={selecting} />
              </>
            )
          }
        </Loaded>
      </div>
      {bulk && (
        <BulkDialog
          choice={bulk}
          onClose={closeBulk}
          onDone={() => {
            closeBulk();
            selecting.clear();
          }}
        />
      )}
    </>
  );
}

/** The button, the key N and `?new=1` of the address, which all open the form. */
function NewClient() {
  const [query, change] = useQueryState();
  const [isOpen, setOpen] = useState(false);
  const open = useCallback(() => setOpen(true), []);
  const isAsked = query.get("new") === "1";
  useShortcut("n", open);
  useEffect(() => {
    if (!isAsked) return;
    open();
    change({ new: null }, { replace: true });
  }, [isAsked, open, change]);
  return (
    <>
      <Button look="main" onClick={open} aria-keyshortcuts="n">
        <span aria-hidden>+ </span>
        {text.newClient}
      </Button>
      {isOpen && <NewClientDialog onClose={() => setOpen(false)} />}
    </>
  );
}
