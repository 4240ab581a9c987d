import { useState } from "react";
import { api, type Schemas, written } from "@/api/client";
import { useZone } from "@/shell/me";
import { text } from "@/text/followup";
import { departure, fromInput, toInput } from "@/time/zone";
import { Dialog } from "@/ui/dialog";
import { Form, useSubmit } from "@/ui/form";
import { tell } from "@/ui/toast";
import { DepartureField } from "./departure_field";

interface RescheduleProps {
  task: Schemas["TaskView"];
  name: string;
  onClose(): void;
}

/** Move a pending follow-up to another time. */
export function RescheduleDialog({ task, name, onClose }: RescheduleProps) {
  const zone = useZone();
  const [before] = useState(() => toInput(task.scheduled_for, zone));
  const [typed, setTyped] = useState(before);
  // Of an hour that comes twice, what was not changed stays the one that it was.
  const instant = typed === before ? task.scheduled_for : fromInput(typed, zone);
  const submission = useSubmit(
    () =>
      written(
        api.PATCH("/api/tasks/{task_id}", {
          params: { path: { task_id: task._id } },
          body: { scheduled_for: instant ?? typed },
        }),
      ),
    {
      onDone: (moved) => {
        const at = moved?.scheduled_for ?? instant;
        if (at) tell(text.rescheduleDone(departure(at, zone)));
        onClose();
      },
    },
  );
  return (
    <Dialog title={text.rescheduleTitle(name)} isOpen onClose={onClose}>
      <Form
        submission={submission}
        label={text.reschedule}
        onCancel={onClose}
        shown={["scheduled_for"]}
      >
        <DepartureField
          value={typed}
          onChange={setTyped}
          error={submission.fields.get("scheduled_for")}
        />
      </Form>
    </Dialog>
  );
}
