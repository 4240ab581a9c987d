import { useState } from "react";
import { api, type Schemas, written } from "@/api/client";
import { DepartureField } from "@/followups/departure_field";
import { useZone } from "@/shell/me";
import { text } from "@/text/client";
import { names } from "@/text/common";
import { departure, fromInput, toInput } from "@/time/zone";
import { Dialog } from "@/ui/dialog";
import { Select, TextArea } from "@/ui/field";
import { Form, useSubmit } from "@/ui/form";
import { tell } from "@/ui/toast";

const DAY_MS = 86_400_000;
const SHOWN = ["scheduled_for", "priority", "instructions"];

/** Add a single follow-up. */
export function AddFollowupDialog({ clientId, onClose }: { clientId: string; onClose(): void }) {
  const zone = useZone();
  const [typed, setTyped] = useState(() =>
    toInput(new Date(Date.now() + DAY_MS).toISOString(), zone),
  );
  const [priority, setPriority] = useState<Schemas["Priority"]>("medium");
  const [instructions, setInstructions] = useState("");
  const instant = fromInput(typed, zone);
  const submission = useSubmit(
    (key) =>
      written(
        api.POST("/api/clients/{client_id}/tasks", {
          params: { path: { client_id: clientId }, header: { "Idempotency-Key": key } },
          body: { scheduled_for: instant, priority, instructions: instructions || null },
        }),
      ),
    {
      onDone: (added) => {
        const at = added?.scheduled_for ?? instant;
        if (at) tell(text.addDone(departure(at, zone)));
        onClose();
      },
    },
  );
  return (
    <Dialog title={text.addTitle} isOpen onClose={onClose}>
      <Form submission={submission} label={text.addFollowup} onCancel={onClose} shown={SHOWN}>
        <DepartureField
          value={typed}
          onChange={setTyped}
          error={submission.fields.get("scheduled_for")}
        />
        <Select
          label={text.priority}
          options={Object.entries(names.priority)}
          value={priority}
          error={submission.fields.get("priority")}
          onChange={({ target }) => setPriority(target.value as Schemas["Priority"])}
        />
        <TextArea
          label={text.instructions}
          hint={text.instructionsHint}
          value={instructions}
          error={submission.fields.get("instructions")}
          onChange={({ target }) => setInstructions(target.value)}
        />
      </Form>
    </Dialog>
  );
}
