import { useState } from "react";
import { api, written } from "@/api/client";
import { text } from "@/text/approve";
import { Dialog } from "@/ui/dialog";
import { TextArea } from "@/ui/field";
import { Form, useSubmit } from "@/ui/form";

interface RewriteProps {
  taskId: string;
  /** Waits until the server has what was typed into the letter. */
  saved(): Promise<unknown>;
  onClose(): void;
  onDone(): void;
}

/** Have another letter written, by what the agent wants it to say. */
export function RewriteDialog({ taskId, saved, onClose, onDone }: RewriteProps) {
  const [instructions, setInstructions] = useState("");
  const submission = useSubmit(
    async (key) => {
      await saved();
      await written(
        api.POST("/api/tasks/{task_id}/draft", {
          params: { path: { task_id: taskId }, header: { "Idempotency-Key": key } },
          body: { instructions: instructions.trim() || null },
        }),
      );
    },
    {
      done: text.rewriteDone,
      onDone: () => {
        onClose();
        onDone();
      },
    },
  );
  return (
    <Dialog title={text.rewriteTitle} isOpen onClose={onClose}>
      <Form
        submission={submission}
        label={text.rewrite}
        onCancel={onClose}
        shown={["instructions"]}
      >
        <p className="text-sm">{text.rewriteHint}</p>
        <TextArea
          label={text.instructions}
          hint={text.instructionsHint}
          value={instructions}
          maxLength={1000}
          error={submission.fields.get("instructions")}
          onChange={({ target }) => setInstructions(target.value)}
        />
      </Form>
    </Dialog>
  );
}
