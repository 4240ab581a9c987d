import { useQuery } from "@tanstack/react-query";
import { api, read } from "@/api/client";

/** The log-in email of an agent. */
export function AgentName({ id }: { id: string }) {
  const { data } = useQuery({
    queryKey: ["agents", id],
    queryFn: () =>
      read(api.GET("/api/admin/agents/{agent_id}", { params: { path: { agent_id: id } } })),
    staleTime: Number.POSITIVE_INFINITY,
    meta: { still: true },
  });
  return <span className="break-all">{data?.email ?? "…"}</span>;
}
