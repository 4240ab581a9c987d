import { keepPreviousData, QueryClient, queryOptions, useQuery } from "@tanstack/react-query";
import { api, read } from "./client";
import { Unreachable } from "./problem";

/**
 * Queries are shown again whenever something has changed (`live/`), but those with `meta.still`:
 * what only the agent changes, here. The first part of a key is the resource.
 */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        networkMode: "always",
        placeholderData: keepPreviousData,
        refetchOnReconnect: false,
        refetchOnWindowFocus: false,
        retry: (failures, error) => error instanceof Unreachable && failures < 2,
        staleTime: 1000,
      },
      mutations: { networkMode: "always" },
    },
  });
}

/** Ask again for all that is shown and may have changed. */
export function refreshAll(client: QueryClient): void {
  void client.invalidateQueries(
    { predicate: ({ meta }) => !meta?.still },
    { cancelRefetch: false },
  );
}

/** The calling agent. */
export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: () => read(api.GET("/api/agents/me")),
  staleTime: Number.POSITIVE_INFINITY,
  meta: { still: true },
});

/** What waits for a person, by kind. */
export function useAttention() {
  return useQuery({
    queryKey: ["dashboard", "attention"],
    queryFn: () => read(api.GET("/api/dashboard/attention")),
  });
}
