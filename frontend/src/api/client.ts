import createClient from "openapi-fetch";
import { reportReachable, reportUnreachable } from "@/live/connection";
import { logInAgain } from "@/session/session";
import { ApiProblem, problemOf, Unreachable } from "./problem";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

/** The API. A call rejects with ApiProblem or Unreachable; 304 does not occur, browsers see to it. */
export const api = createClient<paths>({
  baseUrl: window.location.origin,
  // Repeated names, as the API takes them: ?stage=lead&stage=closed
  querySerializer: { array: { style: "form", explode: true } },
  fetch: send,
});

/** Send the request; when the session has ended, once more after the agent has logged in again. */
async function send(request: Request): Promise<Response> {
  // Reads are without it: so they take what the page's head has asked for already.
  if (request.method !== "GET") request.headers.set("X-CSRF-Protection", "1");
  const again = request.clone();
  let response = await reach(request);
  if (response.status === 401 && !request.url.endsWith("/api/auth/logout")) {
    const problem = await problemOf(response);
    // Others say that a password or a code is wrong.
    if (problem.code !== "unauthorized") throw problem;
    await logInAgain();
    response = await reach(again);
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function reach(request: Request): Promise<Response> {
  const asked = new Date();
  try {
    const response = await fetch(request);
    reportReachable(asked);
    return response;
  } catch (error) {
    if (request.signal.aborted) throw error;
    reportUnreachable();
    throw new Unreachable("the gateway cannot be reached", { cause: error });
  }
}

interface Answer<T> {
  data?: T;
  response: Response;
}

/** Return the body of the answer. */
export async function read<T>(answer: Promise<Answer<T>>): Promise<T> {
  return (await answer).data as T;
}

export interface Page<T> {
  rows: T[];
  /** How many rows there are on all pages; of a search 5,000 means at least so many. */
  total: number;
  hasNext: boolean;
  /** Where the next page begins, for `cursor`: no row comes twice or not at all. */
  next: string | null;
}

/** Return a page of a list, with what its headers say of the others. */
export async function readPage<T>(answer: Promise<Answer<T[]>>): Promise<Page<T>> {
  const { data, response } = await answer;
  const next = /<[^>?]*\?([^>]*)>; rel="?next/.exec(response.headers.get("Link") ?? "");
  return {
    rows: data ?? [],
    total: Number(response.headers.get("X-Total-Count")),
    hasNext: next !== null,
    next: new URLSearchParams(next?.[1]).get("cursor"),
  };
}

const ASK_AGAIN_MS = 1000;

/**
 * Wait until a write is carried out, also one that was answered 202; return the body of the answer,
 * undefined after a 202. Rejects with ApiProblem when the write is refused.
 */
export async function written<T>(
  answer: Promise<Answer<T>>,
): Promise<Exclude<T, Schemas["CommandPending"]> | undefined> {
  const { data, response } = await answer;
  if (response.status !== 202) return data as Exclude<T, Schemas["CommandPending"]>;
  const { command_id } = data as unknown as Schemas["CommandPending"];
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    const outcome = await read(
      api.GET("/api/commands/{command_id}", { params: { path: { command_id } } }),
    );
    if (outcome.status === "accepted") return undefined;
    if (outcome.status === "rejected") throw new ApiProblem({ status: 409, ...refusal(outcome) });
  }
}

function refusal({ reason, field }: Schemas["CommandStatus"]) {
  const detail = reason ?? "";
  return { detail, errors: field ? [{ field, reason: detail }] : [] };
}
