import {
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
  useId,
} from "react";

export const inputClasses =
  "w-full min-h-9 rounded-box border border-edge bg-surface px-3 py-1.5 text-base sm:text-sm aria-invalid:border-bad";

interface FieldProps {
  label: ReactNode;
  /** What the API, or the page, has against the value. */
  error?: string | undefined;
  hint?: ReactNode;
}

interface Described extends FieldProps {
  children(described: {
    id: string;
    "aria-invalid": boolean;
    "aria-describedby": string | undefined;
  }): ReactNode;
}

/** A label, a control, and what is wrong with its value. */
export function Field({ label, error, hint, children }: Described) {
  const id = useId();
  const described = [error && `${id}-error`, hint && `${id}-hint`].filter(Boolean).join(" ");
  return (
    <div className="grid content-start gap-1">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      {children({ id, "aria-invalid": Boolean(error), "aria-describedby": described || undefined })}
      {error && (
        <p id={`${id}-error`} className="text-sm text-bad">
          {error}
        </p>
      )}
      {hint && (
        <p id={`${id}-hint`} className="text-sm text-soft">
          {hint}
        </p>
      )}
    </div>
  );
}

export function TextField({
  label,
  error,
  hint,
  ...rest
}: FieldProps & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <Field label={label} error={error} hint={hint}>
      {(described) => <input className={inputClasses} {...described} {...rest} />}
    </Field>
  );
}

export function TextArea({
  label,
  error,
  hint,
  ...rest
}: FieldProps & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return (
    <Field label={label} error={error} hint={hint}>
      {(described) => <textarea className={inputClasses} rows={4} {...described} {...rest} />}
    </Field>
  );
}

interface SelectProps extends FieldProps, SelectHTMLAttributes<HTMLSelectElement> {
  options: readonly (readonly [value: string, label: string])[];
}

/** A choice among few; the browser's own list, as phones and screen readers know it. */
export function Select({ label, error, hint, options, ...rest }: SelectProps) {
  return (
    <Field label={label} error={error} hint={hint}>
      {(described) => (
        <select className={inputClasses} {...described} {...rest}>
          {options.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
