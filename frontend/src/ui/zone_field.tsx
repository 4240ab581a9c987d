import { type ComponentProps, useId } from "react";
import { Field, inputClasses } from "./field";

type ZoneProps = Pick<ComponentProps<typeof Field>, "label" | "error" | "hint"> &
  ComponentProps<"input">;

/** A time zone (IANA), found among all by typing a part of its name. */
export function ZoneField({ label, error, hint, ...rest }: ZoneProps) {
  const list = useId();
  return (
    <Field label={label} error={error} hint={hint}>
      {(described) => (
        <>
          <input
            className={inputClasses}
            list={list}
            autoComplete="off"
            spellCheck={false}
            {...described}
            {...rest}
          />
          <datalist id={list}>
            {zones().map((zone) => (
              <option key={zone} value={zone} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

function zones(): string[] {
  return [...new Set(["UTC", ...Intl.supportedValuesOf("timeZone")])];
}
