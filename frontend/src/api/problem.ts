import type { components } from "./schema";

type Problem = components["schemas"]["Problem"];

/** An error that the API answered with (RFC 9457). */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  /** What is wrong, by the name of the field as the API has it. */
  readonly fields: ReadonlyMap<string, string>;
  /** The client that has the address already, of a `duplicate_email`. */
  readonly clientId: string | undefined;

  constructor(problem: Partial<Problem> & { status: number }) {
    super(problem.detail ?? problem.title ?? `HTTP ${problem.status}`);
    this.status = problem.status;
    this.code = problem.code ?? "unknown";
    this.fields = new Map(
      // The API's library says so before our own reasons; that is nothing to people.
      problem.errors?.map(({ field, reason }) => [field, reason.replace(/^Value error, /, "")]),
    );
    this.clientId = problem.client_id ?? undefined;
  }
}

/** The gateway could not be reached: whether it has received the request is not known. */
export class Unreachable extends Error {}

/** Return the problem of a response that is not a success. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const body: unknown = await response.json().catch(() => ({}));
  return new ApiProblem({ ...(body as Partial<Problem>), status: response.status });
}

/** Return what to tell of an error, in a sentence without its field. */
export function reasonOf(error: unknown, otherwise: string): string {
  return error instanceof ApiProblem ? error.message : otherwise;
}
