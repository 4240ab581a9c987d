import { api, read, type Schemas } from "@/api/client";
import type { ClientFilter } from "./list_state";
import type { Selection } from "./selection";

/** The most that one request changes. */
export const MOST_CHANGED = 5000;

export type BulkAction = Schemas["ClientsChange"]["action"];
export type BulkKind = BulkAction["kind"];

/** What is to be done, to whom: as it was chosen, whatever else is chosen or matches later. */
export interface BulkChoice {
  kind: BulkKind;
  selection: Selection;
  filter: ClientFilter;
  /** How many the agent is told it is of: when it is of more or fewer, nothing is done. */
  count: number;
}

/** Do the same to many clients; return what became of each. */
export function changeMany(choice: BulkChoice, action: BulkAction, key: string) {
  const { selection, filter, count } = choice;
  return read(
    api.POST("/api/clients/bulk", {
      params: { header: { "Idempotency-Key": key } },
      body: {
        selection: "all" in selection ? { filter } : { ids: [...selection.ids] },
        action,
        expected_count: count,
      },
    }),
  );
}
