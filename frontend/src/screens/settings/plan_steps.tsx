import { useRef, useState } from "react";
import { type UseFormReturn, useFieldArray } from "react-hook-form";
import { names } from "@/text/common";
import { text } from "@/text/settings";
import { Button } from "@/ui/button";
import { Select, TextArea, TextField } from "@/ui/field";
import { nextStep, type PlanValues } from "./plan_values";

interface StepsProps {
  form: UseFormReturn<PlanValues>;
  /** What the API has against them, by `steps.0.name`. */
  errors: ReadonlyMap<string, string>;
}

const PRIORITIES = Object.entries(names.priority);
const PARTS = ["name", "years", "days", "priority", "goal"] as const;

/** The steps of a plan, in their order. */
export function StepsEditor({ form, errors }: StepsProps) {
  const { fields, append, remove, move } = useFieldArray({ control: form.control, name: "steps" });
  const [moved, setMoved] = useState("");
  const list = useRef<HTMLOListElement>(null);
  const moveStep = (from: number, to: number) => {
    move(from, to);
    setMoved(text.moved(to + 1, fields.length));
    // The focus goes along, to a button that can still be pressed.
    const direction = to < from ? [text.moveUp, text.moveDown] : [text.moveDown, text.moveUp];
    requestAnimationFrame(() => {
      const buttons = [...(list.current?.children[to]?.querySelectorAll("button") ?? [])];
      for (const words of direction) {
        const button = buttons.find((each) => each.dataset.act === words && !each.disabled);
        if (button) return button.focus();
      }
    });
  };
  return (
    <div className="grid gap-3">
      <ol ref={list} className="grid gap-3">
        {fields.map((field, index) => (
          <li key={field.id}>
            <fieldset className="rounded-box border border-line p-3">
              <legend className="px-1 text-sm font-medium">{text.stepNumber(index + 1)}</legend>
              <StepFields form={form} index={index} errors={errors} />
              <div className="mt-3 flex flex-wrap gap-2">
                {index > 0 && (
                  <Button data-act={text.moveUp} onClick={() => moveStep(index, index - 1)}>
                    <span aria-hidden>↑</span> {text.moveUp}
                  </Button>
                )}
                {index < fields.length - 1 && (
                  <Button data-act={text.moveDown} onClick={() => moveStep(index, index + 1)}>
                    <span aria-hidden>↓</span> {text.moveDown}
                  </Button>
                )}
                {fields.length > 1 && (
                  <Button look="danger" onClick={() => remove(index)}>
                    {text.removeStep}
                  </Button>
                )}
              </div>
            </fieldset>
          </li>
        ))}
      </ol>
      <p role="status" className="sr-only">
        {moved}
      </p>
      {errors.get("steps") && <p className="text-sm text-bad">{errors.get("steps")}</p>}
      <div>
        <Button onClick={() => append(nextStep(form.getValues("steps")))}>{text.addStep}</Button>
      </div>
    </div>
  );
}

function StepFields({ form: { register }, index, errors }: StepsProps & { index: number }) {
  const error = (part: (typeof PARTS)[number]) => errors.get(`steps.${index}.${part}`);
  const whole = errors.get(`steps.${index}`);
  return (
    <div className="grid gap-3 sm:grid-cols-[2fr_1fr_1fr_1fr]">
      <TextField
        label={text.stepName}
        error={error("name") ?? whole}
        required
        {...register(`steps.${index}.name`)}
      />
      <TextField
        label={text.stepYears}
        error={error("years")}
        type="number"
        min={0}
        max={10}
        {...register(`steps.${index}.years`)}
      />
      <TextField
        label={text.stepDays}
        error={error("days")}
        type="number"
        min={0}
        max={3650}
        {...register(`steps.${index}.days`)}
      />
      <Select
        label={text.stepPriority}
        error={error("priority")}
        options={PRIORITIES}
        {...register(`steps.${index}.priority`)}
      />
      <div className="sm:col-span-4">
        <TextArea
          label={text.stepGoal}
          hint={text.stepGoalHint}
          error={error("goal")}
          rows={2}
          {...register(`steps.${index}.goal`)}
        />
      </div>
    </div>
  );
}

/** Return the names of errors that stand beside the steps' fields. */
export function shownOfSteps(errors: ReadonlyMap<string, string>): string[] {
  return [...errors.keys()].filter((name) => {
    const [, , part] = name.split(".");
    return name.startsWith("steps") && (!part || PARTS.some((known) => known === part));
  });
}
