import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, readPage } from "@/api/client";
import { EmailDialog } from "@/emails/email_dialog";
import { useNavigation } from "@/navigation";
import { useZone } from "@/shell/me";
import { text } from "@/text/emails";
import { Button } from "@/ui/button";
import { Loaded } from "@/ui/loaded";
import { Pager, usePage } from "@/ui/pager";
import { Empty, PageHead, Skeleton } from "@/ui/parts";
import { EmailTable } from "./email_table";
import { FilterBar } from "./filter_bar";
import { emailFilter } from "./list_state";

const PAGE_SIZE = 50;

/** All emails, the newest first: found and narrowed by the server; the address says how. */
export default function EmailsScreen() {
  const zone = useZone();
  const { path, query, go } = useNavigation();
  const [page, goToPage] = usePage();
  const [read, setRead] = useState<string>();
  const filter = emailFilter(query, zone);
  const isFiltered = Object.keys(filter).length > 0;
  const emails = useQuery({
    queryKey: ["emails", "list", filter, page],
    queryFn: ({ signal }) =>
      readPage(
        api.GET("/api/emails", {
          params: { query: { ...filter, page, limit: PAGE_SIZE } },
          signal,
        }),
      ),
  });
  const clear = (
    <Button look="quiet" onClick={() => go(path)}>
      {text.clearFilters}
    </Button>
  );
  return (
    <>
      <PageHead title={text.title}>{isFiltered && clear}</PageHead>
      <div className="grid gap-3">
        <FilterBar />
        <Loaded query={emails} skeleton={<Skeleton className="h-[60dvh]" />}>
          {({ rows, total, hasNext }) =>
            rows.length === 0 ? (
              <Empty title={isFiltered ? text.noMatches : text.none}>
                {isFiltered ? text.noMatchesHint : text.noneHint}
              </Empty>
            ) : (
              <>
                <EmailTable emails={rows} onRead={setRead} />
                <Pager
                  limit={PAGE_SIZE}
                  total={total}
                  hasNext={hasNext}
                  page={page}
                  onPage={goToPage}
                />
              </>
            )
          }
        </Loaded>
      </div>
      {read && <EmailDialog id={read} onClose={() => setRead(undefined)} />}
    </>
  );
}
