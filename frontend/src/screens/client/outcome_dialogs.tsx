import { useState } from "react";
import { api, written } from "@/api/client";
import { useZone } from "@/shell/me";
import { text } from "@/text/client";
import { fromInput, toInput, zoneName } from "@/time/zone";
import { Confirm } from "@/ui/confirm";
import { Dialog } from "@/ui/dialog";
import { TextField } from "@/ui/field";
import { Form, useSubmit } from "@/ui/form";
import type { Client } from "./queries";

/** Record that the client has answered elsewhere than by email. */
export function ReplyDialog({ clientId, onClose }: { clientId: string; onClose(): void }) {
  const zone = useZone();
  const [typed, setTyped] = useState(() => toInput(new Date().toISOString(), zone));
  const submission = useSubmit(
    (key) =>
      written(
        api.POST("/api/clients/{client_id}/replied", {
          params: { path: { client_id: clientId }, header: { "Idempotency-Key": key } },
          body: { replied_at: fromInput(typed, zone) },
        }),
      ),
    { done: text.replyDone, onDone: onClose },
  );
  return (
    <Dialog title={text.replyTitle} isOpen onClose={onClose}>
      <Form
        submission={submission}
        label={text.recordReply}
        onCancel={onClose}
        shown={["replied_at"]}
      >
        <p className="text-sm">{text.replyHint}</p>
        <TextField
          type="datetime-local"
          label={text.repliedAt(zoneName(zone))}
          value={typed}
          error={submission.fields.get("replied_at")}
          onChange={({ target }) => setTyped(target.value)}
        />
      </Form>
    </Dialog>
  );
}

/** Record that the client has opted out, told by word, call or letter. */
export function OptOutDialog({ client, onClose }: { client: Client; onClose(): void }) {
  const path = { client_id: client._id };
  return (
    <Confirm
      title={text.optOutTitle}
      label={text.optOut}
      isDanger
      act={(key) =>
        written(
          api.POST("/api/clients/{client_id}/unsubscribe", {
            params: { path, header: { "Idempotency-Key": key } },
          }),
        )
      }
      done={text.optOutDone}
      onClose={onClose}
    >
      {text.optOutHint(client.name)}
    </Confirm>
  );
}
