import { useQuery } from "@tanstack/react-query";
import { api, readPage } from "@/api/client";

export const AGENTS_ON_A_PAGE = 20;

/** A page of all accounts, the newest first. */
export function useAgents(page: number) {
  return useQuery({
    queryKey: ["agents", "list", page],
    queryFn: () => {
      const query = { page, limit: AGENTS_ON_A_PAGE };
      return readPage(api.GET("/api/admin/agents", { params: { query } }));
    },
  });
}
