import type { Schemas } from "@/api/client";
import { useQueryState } from "@/navigation";
import { names } from "@/text/common";
import { text } from "@/text/followups";
import { Button } from "@/ui/button";
import { Choice } from "@/ui/choice";
import { DayField } from "@/ui/day_field";
import { SearchField } from "@/ui/search_field";
import type { FollowupState } from "./list_state";

const STATUSES: readonly (readonly [string, string])[] = [
  ...Object.entries(text.groups),
  ...Object.entries(names.taskStatus),
];

/** Search, status, priority; for the table also days. */
export function FilterBar({ state: { view, statuses, filter } }: { state: FollowupState }) {
  const isListed = STATUSES.some(([value]) => value === statuses);
  const together = statuses
    .split(",")
    .map((status) => names.taskStatus[status as Schemas["TaskStatus"]])
    .join(", ");
  return (
    <search className="flex flex-wrap items-center gap-2">
      <div className="w-full sm:w-auto sm:min-w-52 sm:flex-1">
        <SearchField label={text.search} />
      </div>
      <Choice
        name="status"
        label={text.status}
        value={statuses}
        options={isListed ? STATUSES : [[statuses, together], ...STATUSES]}
      />
      <Choice
        name="priority"
        label={text.priority}
        value={filter.priority?.[0] ?? ""}
        options={[["", text.anyPriority], ...Object.entries(names.priority)]}
      />
      {view === "table" && (
        <>
          <DayField name="from" label={text.from} />
          <DayField name="until" label={text.until} />
        </>
      )}
      <ClearFilters />
    </search>
  );
}

/** Takes away what narrows the follow-ups, not how they are shown. */
function ClearFilters() {
  const [query, change] = useQueryState();
  const given = ["q", "status", "priority", "from", "until"].filter((name) => query.has(name));
  if (given.length === 0) return null;
  return (
    <Button
      look="quiet"
      onClick={() => change(Object.fromEntries([...given, "page"].map((name) => [name, null])))}
    >
      {text.clearFilters}
    </Button>
  );
}
