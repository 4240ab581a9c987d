import { useState } from "react";
import { api, written } from "@/api/client";
import { SequenceSelect } from "@/client_form/sequence_select";
import { text } from "@/text/client";
import { Dialog } from "@/ui/dialog";
import { Form, useSubmit } from "@/ui/form";
import type { Client } from "./queries";

/** Begin a sequence for a client that has nothing pending. */
export function PlanAgainDialog({ client, onClose }: { client: Client; onClose(): void }) {
  const [sequence, setSequence] = useState("");
  const submission = useSubmit(
    (key) =>
      written(
        api.POST("/api/clients/{client_id}/plan", {
          params: { path: { client_id: client._id }, header: { "Idempotency-Key": key } },
          body: { sequence: sequence || null },
        }),
      ),
    { done: text.planAgainDone, onDone: onClose },
  );
  return (
    <Dialog title={text.planAgainTitle} isOpen onClose={onClose}>
      <Form submission={submission} label={text.beginPlan} onCancel={onClose} shown={["sequence"]}>
        <SequenceSelect
          stage={client.stage}
          value={sequence}
          onChange={setSequence}
          error={submission.fields.get("sequence")}
        />
      </Form>
    </Dialog>
  );
}
