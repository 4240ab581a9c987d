import { useForm } from "react-hook-form";
import { api, type Schemas, written } from "@/api/client";
import { text } from "@/text/suppressions";
import { Dialog } from "@/ui/dialog";
import { TextField } from "@/ui/field";
import { Form, useSubmit } from "@/ui/form";

interface ReleaseProps {
  suppression: Schemas["SuppressionView"];
  onClose(): void;
}

/** Allow emails to an address again; after an opt-out, for a reason. */
export function ReleaseDialog({ suppression, onClose }: ReleaseProps) {
  const { register, getValues } = useForm({ defaultValues: { reason: "" } });
  const submission = useSubmit(
    (key) =>
      written(
        api.POST("/api/suppressions/{suppression_id}/release", {
          params: {
            path: { suppression_id: suppression._id },
            header: { "Idempotency-Key": key },
          },
          body: { reason: getValues("reason").trim() || null },
        }),
      ),
    { done: text.released, onDone: onClose },
  );
  return (
    <Dialog title={text.releaseTitle(suppression.email)} isOpen onClose={onClose}>
      <Form submission={submission} label={text.release} shown={["reason"]} onCancel={onClose}>
        <p className="text-sm">{text.releaseHint}</p>
        <TextField
          label={text.why}
          hint={text.whyHint}
          error={submission.fields.get("reason")}
          {...register("reason")}
        />
      </Form>
    </Dialog>
  );
}
