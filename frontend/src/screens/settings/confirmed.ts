import { ApiProblem } from "@/api/problem";
import { text } from "@/text/settings";

/** What the API answers to a wrong password, or without a code, stands beside that field. */
export async function confirmed<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    const { status, code, message } = error;
    if (code === "invalid_credentials") {
      throw beside("current_password", { status, code, reason: text.wrongPassword });
    }
    if (code === "second_factor_required") {
      throw beside("code", { status, code, reason: message });
    }
    throw error;
  }
}

function beside(
  field: string,
  { reason, ...rest }: { status: number; code: string; reason: string },
): ApiProblem {
  return new ApiProblem({ ...rest, detail: reason, errors: [{ field, reason }] });
}
