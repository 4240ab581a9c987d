import { useQueryState } from "@/navigation";
import { inputClasses } from "./field";

/** A day that stands in the address; another one begins at the first page. */
export function DayField({ name, label }: { name: string; label: string }) {
  const [query, change] = useQueryState();
  return (
    <label className="flex items-center gap-2 text-sm text-soft">
      {label}
      <input
        type="date"
        value={query.get(name) ?? ""}
        onChange={({ target }) => change({ [name]: target.value || null, page: null })}
        className={`${inputClasses} w-auto!`}
      />
    </label>
  );
}
