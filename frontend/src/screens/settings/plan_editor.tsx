import { useQuery } from "@tanstack/react-query";
import { useForm } from "react-hook-form";
import { api, type Schemas, written } from "@/api/client";
import { names } from "@/text/common";
import { text } from "@/text/settings";
import { Dialog } from "@/ui/dialog";
import { TextField } from "@/ui/field";
import { Form, useSubmit } from "@/ui/form";
import { Loaded } from "@/ui/loaded";
import { StepsEditor, shownOfSteps } from "./plan_steps";
import { type PlanValues, planOf, valuesOf } from "./plan_values";

const STAGES = Object.entries(names.stage) as [Schemas["Stage"], string][];

interface EditorProps {
  /** The plan to change; null for a new one; without an id, what a new one begins with. */
  plan: Schemas["SequenceView"] | null;
  onClose(): void;
}

/** Define a plan, or change one: as it is stored when the dialog opens. */
export function PlanEditor({ plan, onClose }: EditorProps) {
  const title = plan?.sequence_id ? plan.name : text.newPlan;
  return (
    <Dialog title={title} isOpen onClose={onClose} width="wide">
      {plan?.sequence_id ? (
        <StoredPlan id={plan.sequence_id} onClose={onClose} />
      ) : (
        <PlanForm id={null} tag="" values={valuesOf(plan)} onClose={onClose} />
      )}
    </Dialog>
  );
}

function StoredPlan({ id, onClose }: { id: string; onClose(): void }) {
  const query = useQuery({
    queryKey: ["sequences", id],
    queryFn: async () => {
      const params = { path: { sequence_id: id } };
      const { data, response } = await api.GET("/api/sequences/{sequence_id}", { params });
      return { values: valuesOf(data ?? null), tag: response.headers.get("ETag") ?? "" };
    },
    gcTime: 0,
    meta: { still: true },
  });
  return (
    <Loaded query={query}>{(stored) => <PlanForm id={id} {...stored} onClose={onClose} />}</Loaded>
  );
}

interface PlanFormProps {
  id: string | null;
  /** Of the plan as it was when the dialog opened. */
  tag: string;
  values: PlanValues;
  onClose(): void;
}

function PlanForm({ id, tag, values, onClose }: PlanFormProps) {
  const form = useForm<PlanValues>({ defaultValues: values });
  const { register, getValues } = form;
  const submission = useSubmit(
    (key) => {
      const body = planOf(getValues());
      if (id === null) {
        const params = { header: { "Idempotency-Key": key } };
        return written(api.POST("/api/sequences", { params, body }));
      }
      const params = { path: { sequence_id: id }, header: { "If-Match": tag } };
      return written(api.PUT("/api/sequences/{sequence_id}", { params, body }));
    },
    { done: text.planSaved, onDone: onClose },
  );
  const { fields } = submission;
  const shown = ["name", "stages", ...shownOfSteps(fields)];
  return (
    <Form submission={submission} label={text.save} shown={shown} onCancel={onClose}>
      <TextField label={text.planName} error={fields.get("name")} required {...register("name")} />
      <fieldset className="text-sm">
        <legend className="mb-1 font-medium">{text.stages}</legend>
        <div className="flex flex-wrap gap-x-4 gap-y-1">
          {STAGES.map(([stage, words]) => (
            <label key={stage} className="flex min-h-7 items-center gap-1.5">
              <input type="checkbox" value={stage} {...register("stages")} />
              {words}
            </label>
          ))}
        </div>
        <p className="text-soft">{text.stagesHint}</p>
        {fields.get("stages") && <p className="text-bad">{fields.get("stages")}</p>}
      </fieldset>
      <StepsEditor form={form} errors={fields} />
    </Form>
  );
}
