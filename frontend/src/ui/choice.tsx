import { useQueryState } from "@/navigation";
import { inputClasses } from "./field";

interface ChoiceProps {
  /** Its parameter in the address. */
  name: string;
  label: string;
  value: string;
  options: readonly (readonly [value: string, label: string])[];
}

/** A choice that stands in the address; another one begins at the first page. */
export function Choice({ name, label, value, options }: ChoiceProps) {
  const [, change] = useQueryState();
  return (
    <select
      aria-label={label}
      value={value}
      onChange={({ target }) => change({ [name]: target.value || null, page: null })}
      className={`${inputClasses} w-auto! min-w-0 flex-1 basis-32 sm:flex-none sm:basis-auto`}
    >
      {options.map(([each, words]) => (
        <option key={each} value={each}>
          {words}
        </option>
      ))}
    </select>
  );
}
