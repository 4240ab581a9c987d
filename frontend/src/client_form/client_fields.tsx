import { useId } from "react";
import { text } from "@/text/client_fields";
import { names } from "@/text/common";
import { Field, inputClasses, Select, TextArea, TextField } from "@/ui/field";
import type { ClientValues, FieldName } from "./values";

interface ClientFieldsProps {
  values: ClientValues;
  onChange(values: ClientValues): void;
  /** What the API has against them. */
  errors: ReadonlyMap<string, string>;
}

const FOLDED: readonly FieldName[] = ["greeting", "language", "time_zone", "review"];

/** The fields of a client; those that few need are folded. */
export function ClientFields({ values, onChange, errors }: ClientFieldsProps) {
  const field = (name: FieldName) => ({
    name,
    label: text.labels[name],
    value: values[name],
    error: errors.get(name),
    onChange: ({ target }: { target: { value: string } }) =>
      onChange({ ...values, [name]: target.value }),
  });
  const isAnyWrong = FOLDED.some((name) => errors.has(name));
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <TextField {...field("name")} required autoComplete="off" />
      <TextField {...field("email")} required type="email" autoComplete="off" />
      <TextField {...field("phone")} type="tel" autoComplete="off" />
      <Select {...field("stage")} options={Object.entries(names.stage)} />
      <Select {...field("property_type")} options={Object.entries(names.propertyType)} />
      <TextField {...field("property_address")} autoComplete="off" />
      <TextField {...field("source")} autoComplete="off" />
      <TextField {...field("lead_since")} type="date" />
      <div className="sm:col-span-2">
        <TextArea {...field("notes")} hint={text.hints.notes} />
      </div>
      <details open={isAnyWrong || undefined} className="sm:col-span-2">
        <summary className="mb-3 inline-block min-h-6 text-sm text-accent">{text.more}</summary>
        <div className="grid gap-4 sm:grid-cols-2">
          <TextField {...field("greeting")} hint={text.hints.greeting} autoComplete="off" />
          <TextField {...field("language")} hint={text.hints.language} autoComplete="off" />
          <ZoneField {...field("time_zone")} />
          <Select {...field("review")} options={Object.entries(text.review)} />
        </div>
      </details>
    </div>
  );
}

interface ZoneFieldProps {
  name: string;
  label: string;
  value: string;
  error: string | undefined;
  onChange(event: { target: { value: string } }): void;
}

function ZoneField({ label, error, ...rest }: ZoneFieldProps) {
  const list = useId();
  return (
    <Field label={label} error={error} hint={text.hints.time_zone}>
      {(described) => (
        <>
          <input className={inputClasses} autoComplete="off" list={list} {...described} {...rest} />
          <datalist id={list}>
            {Intl.supportedValuesOf("timeZone").map((zone) => (
              <option key={zone} value={zone} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}
