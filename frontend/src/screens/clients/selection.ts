import { useState } from "react";
import type { ClientFilter } from "./list_state";

/** Which clients are chosen: some of those that are shown, or all that match, on every page. */
export type Selection = { ids: ReadonlySet<string> } | { all: true };

const NONE: Selection = { ids: new Set() };

/** What is chosen under a filter; under another one nothing is. */
export function useSelection(filter: ClientFilter) {
  const of = JSON.stringify(filter);
  const [state, setState] = useState({ of, selection: NONE });
  const selection = state.of === of ? state.selection : NONE;
  const set = (next: Selection) => setState({ of, selection: next });
  return {
    selection,
    isChosen: (id: string) => "all" in selection || selection.ids.has(id),
    /** Of all, as of none, only those that are shown stay chosen when one is taken out. */
    choose(ids: readonly string[], isChosen: boolean, shown: readonly string[]) {
      const before = "all" in selection ? shown : [...selection.ids];
      const rest = before.filter((id) => !ids.includes(id));
      set({ ids: new Set(isChosen ? [...rest, ...ids] : rest) });
    },
    chooseAll: () => set({ all: true }),
    clear: () => set(NONE),
  };
}

export type Selecting = ReturnType<typeof useSelection>;
