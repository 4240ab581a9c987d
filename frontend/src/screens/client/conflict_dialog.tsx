import { useState } from "react";
import type { ClientValues, FieldName } from "@/client_form/values";
import { text } from "@/text/client";
import { text as fieldText } from "@/text/client_fields";
import { names } from "@/text/common";
import { Dialog } from "@/ui/dialog";
import { Form, useSubmit } from "@/ui/form";

type Side = "yours" | "theirs";

interface ConflictDialogProps {
  fields: readonly FieldName[];
  yours: ClientValues;
  theirs: ClientValues;
  /** The fields that the agent has not changed: theirs are proposed. */
  untouched: readonly FieldName[];
  /** Save the chosen values; return whether nobody was faster once more. */
  save(chosen: Partial<ClientValues>): Promise<boolean>;
  onDone(isSaved: boolean): void;
  onClose(): void;
}

/** Of each field that somebody else has changed meanwhile: which value is kept? */
export function ConflictDialog(props: ConflictDialogProps) {
  const { fields, yours, theirs, untouched, save, onDone, onClose } = props;
  const [sides, setSides] = useState<Partial<Record<FieldName, Side>>>({});
  const sideOf = (field: FieldName) =>
    sides[field] ?? (untouched.includes(field) ? "theirs" : "yours");
  const submission = useSubmit(
    () =>
      save(
        Object.fromEntries(
          fields.map((field) => [field, (sideOf(field) === "yours" ? yours : theirs)[field]]),
        ),
      ),
    { onDone },
  );
  return (
    <Dialog title={text.conflictTitle} isOpen onClose={onClose} width="wide">
      <Form submission={submission} label={text.saveChoice} onCancel={onClose}>
        <p className="text-sm">{text.conflictHint}</p>
        {fields.map((field) => (
          <fieldset key={field} className="grid gap-2 sm:grid-cols-2">
            <legend className="mb-1 text-sm font-medium">{fieldText.labels[field]}</legend>
            {(["yours", "theirs"] as const).map((side) => (
              <label
                key={side}
                className="flex items-start gap-2 rounded-box border border-edge p-3 text-sm has-checked:border-accent has-checked:bg-accent-wash"
              >
                <input
                  type="radio"
                  name={field}
                  className="mt-1"
                  checked={sideOf(field) === side}
                  onChange={() => setSides({ ...sides, [field]: side })}
                />
                <span className="min-w-0">
                  <span className="block text-soft">{text[side]}</span>
                  <span className="whitespace-pre-wrap [overflow-wrap:anywhere]">
                    {shown(field, side === "yours" ? yours : theirs) || text.empty}
                  </span>
                </span>
              </label>
            ))}
          </fieldset>
        ))}
      </Form>
    </Dialog>
  );
}

function shown(field: FieldName, values: ClientValues): string {
  if (field === "stage") return names.stage[values.stage];
  if (field === "property_type") return names.propertyType[values.property_type];
  if (field === "review") return fieldText.review[values.review];
  return values[field];
}
