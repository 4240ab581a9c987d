import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import { text } from "@/text/common";
import { Button } from "./button";

/** Loads the next page of a list below those that are shown, while there is one. */
export function MoreButton({ query, of }: { query: UseInfiniteQueryResult; of: string }) {
  return (
    query.hasNextPage && (
      <Button
        className="mt-2"
        isBusy={query.isFetchingNextPage}
        onClick={() => void query.fetchNextPage()}
      >
        {text.loadMore}
        <span className="sr-only">: {of}</span>
      </Button>
    )
  );
}
