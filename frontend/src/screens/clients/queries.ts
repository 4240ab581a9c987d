import { useQuery } from "@tanstack/react-query";
import { api, read, readPage, type Schemas } from "@/api/client";
import { type ClientFilter, type ListState, PAGE_SIZE } from "./list_state";

export type ListedClient = Schemas["ListedClient"];

/** A page of the clients that match. */
export function useClients({ filter, sort, page }: ListState) {
  return useQuery({
    queryKey: ["clients", "list", filter, sort, page],
    queryFn: ({ signal }) => {
      const query = { ...filter, sort, page, limit: PAGE_SIZE };
      return readPage(api.GET("/api/clients", { params: { query }, signal }));
    },
  });
}

/** How many clients each stage has of those that the other filters leave. */
export function useCounts({ stage: _, ...filter }: ClientFilter) {
  return useQuery({
    queryKey: ["clients", "counts", filter],
    queryFn: ({ signal }) =>
      read(api.GET("/api/clients/counts", { params: { query: filter }, signal })),
  });
}
