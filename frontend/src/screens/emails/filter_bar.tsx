import { useQueryState } from "@/navigation";
import { names } from "@/text/common";
import { text } from "@/text/emails";
import { Choice } from "@/ui/choice";
import { DayField } from "@/ui/day_field";
import { SearchField } from "@/ui/search_field";

/** Search, status and days. */
export function FilterBar() {
  const [query] = useQueryState();
  return (
    <search className="flex flex-wrap items-center gap-2">
      <div className="w-full sm:w-auto sm:min-w-64 sm:flex-1">
        <SearchField label={text.search} />
      </div>
      <Choice
        name="status"
        label={text.status}
        value={query.get("status") ?? ""}
        options={[["", text.anyStatus], ...Object.entries(names.emailStatus)]}
      />
      <DayField name="from" label={text.from} />
      <DayField name="until" label={text.until} />
    </search>
  );
}
