import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, read, readPage, type Schemas } from "@/api/client";

export type Client = Schemas["ClientView"];

export interface TaggedClient {
  client: Client;
  /** The ETag that it was read with, for `If-Match`. */
  tag: string;
}

/** Read a client, as it is now. */
export async function readClient(client_id: string): Promise<TaggedClient> {
  const answer = api.GET("/api/clients/{client_id}", { params: { path: { client_id } } });
  return { client: await read(answer), tag: (await answer).response.headers.get("ETag") ?? "" };
}

export function useClient(id: string) {
  return useQuery({ queryKey: ["clients", id], queryFn: () => readClient(id) });
}

/** Which sequence the client has, and which one its stage suggests. */
export function usePlan(client_id: string) {
  return useQuery({
    queryKey: ["tasks", "plan", client_id],
    queryFn: () =>
      read(api.GET("/api/clients/{client_id}/plan", { params: { path: { client_id } } })),
  });
}

const MOST_STEPS = 100;

/** The client's last follow-ups, the earliest first. */
export function useSteps(client_id: string) {
  return useQuery({
    queryKey: ["tasks", "client", client_id],
    queryFn: async () => {
      const query = { client_id, sort: "-scheduled_for", limit: MOST_STEPS } as const;
      const { rows, total } = await readPage(api.GET("/api/tasks", { params: { query } }));
      return { steps: rows.toReversed(), earlier: total - rows.length };
    },
  });
}

const PAGE = 20;

export function useEmails(client_id: string) {
  return useInfiniteQuery({
    queryKey: ["emails", "client", client_id],
    queryFn: ({ pageParam }) =>
      readPage(
        api.GET("/api/emails", { params: { query: { client_id, limit: PAGE, ...pageParam } } }),
      ),
    initialPageParam: {},
    getNextPageParam: ({ next }) => next && { cursor: next },
  });
}

export function useTimeline(client_id: string) {
  return useInfiniteQuery({
    queryKey: ["timeline", "client", client_id],
    queryFn: ({ pageParam }) => {
      const params = { path: { client_id }, query: { limit: PAGE, ...pageParam } };
      return readPage(api.GET("/api/clients/{client_id}/timeline", { params }));
    },
    initialPageParam: {},
    getNextPageParam: ({ next }) => next && { cursor: next },
  });
}

/** Change a client; refused with 412 when it is no longer what the tag stands for. */
export function changeClient(id: string, body: Schemas["ClientPatch"], tag?: string) {
  const header = tag ? { "If-Match": tag } : {};
  return api.PATCH("/api/clients/{client_id}", {
    params: { path: { client_id: id }, header },
    body,
  });
}
