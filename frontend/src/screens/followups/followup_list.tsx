import { useQuery } from "@tanstack/react-query";
import { api, readPage } from "@/api/client";
import { useNavigation } from "@/navigation";
import { text } from "@/text/followups";
import { Button } from "@/ui/button";
import { Loaded } from "@/ui/loaded";
import { Pager, usePage } from "@/ui/pager";
import { Empty, Skeleton } from "@/ui/parts";
import { FollowupTable } from "./followup_table";
import type { FollowupState } from "./list_state";

const PAGE_SIZE = 50;

/** A page of the follow-ups that match. */
export function FollowupList({ state: { filter, sort } }: { state: FollowupState }) {
  const { query } = useNavigation();
  const [page, goToPage] = usePage();
  const followups = useQuery({
    queryKey: ["tasks", "list", filter, sort, page],
    queryFn: ({ signal }) => {
      const query = { ...filter, sort, page, limit: PAGE_SIZE };
      return readPage(api.GET("/api/tasks", { params: { query }, signal }));
    },
  });
  const isFiltered = ["q", "status", "priority", "from", "until"].some((name) => query.has(name));
  return (
    <Loaded query={followups} skeleton={<Skeleton className="h-[60dvh]" />}>
      {({ rows, total, hasNext }) => {
        if (rows.length > 0) {
          return (
            <>
              <FollowupTable followups={rows} sort={sort} />
              <Pager
                limit={PAGE_SIZE}
                total={total}
                hasNext={hasNext}
                page={page}
                onPage={goToPage}
              />
            </>
          );
        }
        return (
          <div role="status" className="rounded-box border border-line bg-surface">
            {total > 0 ? (
              <Empty title={text.pageGone}>
                <Button onClick={() => goToPage(1)}>{text.firstPage}</Button>
              </Empty>
            ) : (
              <Empty title={isFiltered ? text.noMatches : text.none}>
                {isFiltered ? text.noMatchesHint : text.noneHint}
              </Empty>
            )}
          </div>
        );
      }}
    </Loaded>
  );
}
