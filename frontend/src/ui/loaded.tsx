import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { reasonOf } from "@/api/problem";
import { text } from "@/text/common";
import { Button } from "./button";
import { Alert, Skeleton } from "./parts";

interface LoadedProps<T> {
  query: UseQueryResult<T>;
  skeleton?: ReactNode;
  children(data: T): ReactNode;
}

/** What a query has found; before, a skeleton; and when it failed, why, with a way to try again. */
export function Loaded<T>({ query, skeleton, children }: LoadedProps<T>) {
  if (query.data !== undefined) return children(query.data);
  if (!query.error) return <div aria-busy>{skeleton ?? <Skeleton />}</div>;
  return (
    <Alert>
      <div className="flex flex-wrap items-center justify-between gap-2">
        {reasonOf(query.error, text.unreachable)}
        <Button onClick={() => void query.refetch()}>{text.tryAgain}</Button>
      </div>
    </Alert>
  );
}
