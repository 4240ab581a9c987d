import { useNavigation } from "@/navigation";
import { useZone } from "@/shell/me";
import { text } from "@/text/followups";
import { PageHead } from "@/ui/parts";
import { Calendar } from "./calendar";
import { FilterBar } from "./filter_bar";
import { FollowupList } from "./followup_list";
import { followupState } from "./list_state";
import { ViewLinks } from "./view_links";

/** All follow-ups, as a table or a calendar: found and narrowed by the server; the address says how. */
export default function FollowupsScreen() {
  const state = followupState(useNavigation().query, useZone());
  return (
    <>
      <PageHead title={text.title}>
        <ViewLinks view={state.view} />
      </PageHead>
      <div className="grid gap-3">
        <FilterBar state={state} />
        {state.view === "table" ? (
          <FollowupList state={state} />
        ) : (
          <Calendar state={state} view={state.view} />
        )}
      </div>
    </>
  );
}
