import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { api } from "@/api/client";
import { useAgent } from "@/shell/me";
import { text } from "@/text/settings";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { TextField } from "@/ui/field";
import { Form, useSubmit } from "@/ui/form";
import { Badge, Panel } from "@/ui/parts";
import { confirmed } from "./confirmed";
import { CurrentPassword } from "./current_password";
import { FactorDialog } from "./factor_dialog";

/** The second factor of the log-in: added, replaced, removed. */
export function FactorPanel() {
  const { second_factor: isOn } = useAgent();
  const [open, setOpen] = useState<"add" | "remove">();
  const close = () => setOpen(undefined);
  return (
    <Panel
      title={text.factorTitle}
      aside={<Badge tone={isOn ? "good" : "plain"}>{isOn ? text.factorOn : text.factorOff}</Badge>}
    >
      <p className="mb-4 max-w-prose text-sm text-soft">{text.factorHint}</p>
      <div className="flex flex-wrap gap-2">
        <Button look={isOn ? "plain" : "main"} onClick={() => setOpen("add")}>
          {isOn ? text.factorReplace : text.factorAdd}
        </Button>
        {isOn && (
          <Button look="danger" onClick={() => setOpen("remove")}>
            {text.factorRemove}
          </Button>
        )}
      </div>
      {open === "add" && <FactorDialog hasOne={isOn} onClose={close} />}
      {open === "remove" && <RemoveDialog onClose={close} />}
    </Panel>
  );
}

function RemoveDialog({ onClose }: { onClose(): void }) {
  const client = useQueryClient();
  const { register, getValues } = useForm({ defaultValues: { current_password: "", code: "" } });
  const submission = useSubmit(
    async () => {
      await confirmed(api.POST("/api/auth/totp/remove", { body: getValues() }));
      await client.invalidateQueries({ queryKey: ["me"] });
    },
    { done: text.factorRemoved, onDone: onClose },
  );
  return (
    <Dialog title={text.factorRemove} isOpen onClose={onClose}>
      <Form
        submission={submission}
        label={text.factorRemove}
        isDanger
        shown={["current_password", "code"]}
        onCancel={onClose}
      >
        <p className="text-sm text-soft">{text.factorRemoveHint}</p>
        <CurrentPassword
          error={submission.fields.get("current_password")}
          {...register("current_password")}
        />
        <TextField
          label={text.codeOrRecovery}
          error={submission.fields.get("code")}
          autoComplete="one-time-code"
          required
          {...register("code")}
        />
      </Form>
    </Dialog>
  );
}
