import { text } from "@/text/clients";
import { names } from "@/text/common";
import { Choice } from "@/ui/choice";
import { SearchField } from "@/ui/search_field";
import { type ListState, SORTS } from "./list_state";

/** Search, filters and order. */
export function FilterBar({ state: { filter, sort } }: { state: ListState }) {
  return (
    <search className="flex flex-wrap items-center gap-2">
      <div className="w-full sm:w-auto sm:min-w-64 sm:flex-1">
        <SearchField label={text.search} />
      </div>
      <Choice
        name="property_type"
        label={text.propertyType}
        value={filter.property_type?.[0] ?? ""}
        options={[["", text.anyPropertyType], ...Object.entries(names.propertyType)]}
      />
      <Choice
        name="plan_paused"
        label={text.plan}
        value={filter.plan_paused?.toString() ?? ""}
        options={[
          ["", text.anyPlan],
          ["false", text.running],
          ["true", text.paused],
        ]}
      />
      <Choice
        name="email_status"
        label={text.address}
        value={filter.email_status?.[0] ?? ""}
        options={[["", text.anyAddress], ...Object.entries(names.suppression)]}
      />
      <Choice name="sort" label={text.sort} value={sort} options={Object.entries(SORTS)} />
    </search>
  );
}
