import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, read, readPage, type Schemas, written } from "@/api/client";
import type { Letter, LetterText } from "./autosave";

export type Draft = Schemas["DraftView"];
export type ListedDraft = Schemas["ListedDraft"];

const PAGE = 25;

/** The letters that wait for the agent, the longest waiting first. */
export function useLetters() {
  return useInfiniteQuery({
    queryKey: ["drafts", "list"],
    queryFn: ({ pageParam }) =>
      readPage(api.GET("/api/drafts", { params: { query: { limit: PAGE, ...pageParam } } })),
    initialPageParam: {},
    getNextPageParam: ({ next }) => next && { cursor: next },
  });
}

export function letterKey(id: string) {
  return ["drafts", "letter", id];
}

/** A letter; one that was just decided is not asked for, since it is gone. */
export function useLetter(id: string, { isDecided }: { isDecided: boolean }) {
  return useQuery({
    queryKey: letterKey(id),
    queryFn: () => readLetter(id),
    enabled: !isDecided,
  });
}

/** Read a letter, as it is now. */
export async function readLetter(task_id: string): Promise<Letter> {
  const answer = api.GET("/api/tasks/{task_id}/draft", { params: { path: { task_id } } });
  return { draft: await read(answer), tag: tagOf(await answer) };
}

/** Store the text, unless the letter is no longer what the tag stands for. */
export async function saveLetter(task_id: string, body: LetterText, tag: string): Promise<Letter> {
  const params = { path: { task_id }, header: { "If-Match": tag } };
  const answer = api.PATCH("/api/tasks/{task_id}/draft", { params, body });
  const draft = await written(answer);
  return draft ? { draft, tag: tagOf(await answer) } : readLetter(task_id);
}

function tagOf({ response }: { response: Response }): string {
  return response.headers.get("ETag") ?? "";
}

/** The client's name, where it is there; a letter by itself does not have it. */
export function useClientName(client_id: string): string | undefined {
  return useQuery({
    queryKey: ["clients", client_id, "name"],
    queryFn: () => read(api.GET("/api/clients/{client_id}", { params: { path: { client_id } } })),
    staleTime: Number.POSITIVE_INFINITY,
    meta: { still: true },
  }).data?.name;
}
