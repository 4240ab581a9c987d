import { useForm } from "react-hook-form";
import { api, type Schemas, written } from "@/api/client";
import { text } from "@/text/admin";
import { Dialog } from "@/ui/dialog";
import { Select, TextField } from "@/ui/field";
import { Form, useSubmit } from "@/ui/form";

interface AccountProps {
  account: Schemas["AccountView"];
  onClose(): void;
}

/** Change what an agent may do, or give a new password to one who has lost it. */
export function AccountDialog({ account, onClose }: AccountProps) {
  const { register, getValues } = useForm({ defaultValues: { role: account.role, password: "" } });
  const submission = useSubmit(
    () => {
      const { role, password } = getValues();
      const params = { path: { agent_id: account._id } };
      const body = { role, ...(password && { password }) };
      return written(api.PATCH("/api/admin/agents/{agent_id}", { params, body }));
    },
    { done: text.accountChanged, onDone: onClose },
  );
  const { fields } = submission;
  return (
    <Dialog title={account.email} isOpen onClose={onClose}>
      <Form
        submission={submission}
        label={text.save}
        shown={["role", "password"]}
        onCancel={onClose}
      >
        <Select
          label={text.role}
          error={fields.get("role")}
          options={Object.entries(text.roles)}
          {...register("role")}
        />
        <TextField
          label={text.newPassword}
          hint={text.newPasswordHint}
          error={fields.get("password")}
          type="password"
          autoComplete="new-password"
          {...register("password")}
        />
      </Form>
    </Dialog>
  );
}
