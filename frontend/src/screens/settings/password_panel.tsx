import { useQueryClient } from "@tanstack/react-query";
import { useForm } from "react-hook-form";
import { api } from "@/api/client";
import { useAgent } from "@/shell/me";
import { text } from "@/text/settings";
import { TextField } from "@/ui/field";
import { Form, useSubmit } from "@/ui/form";
import { Panel } from "@/ui/parts";
import { confirmed } from "./confirmed";
import { CurrentPassword } from "./current_password";

/** Change the password. */
export function PasswordPanel() {
  const { register, getValues, reset } = useForm({
    defaultValues: { current_password: "", new_password: "", revoke_keys: false },
  });
  const submission = useSubmit(
    () => confirmed(api.POST("/api/auth/password", { body: getValues() })),
    { done: text.passwordChanged, onDone: () => reset() },
  );
  const { fields } = submission;
  return (
    <Panel title={text.passwordTitle}>
      <p className="mb-4 max-w-prose text-sm text-soft">{text.passwordHint}</p>
      <div className="max-w-md">
        <Form
          submission={submission}
          label={text.changePassword}
          shown={["current_password", "new_password"]}
        >
          <CurrentPassword
            error={fields.get("current_password")}
            {...register("current_password")}
          />
          <TextField
            label={text.newPassword}
            hint={text.newPasswordHint}
            error={fields.get("new_password")}
            type="password"
            autoComplete="new-password"
            required
            {...register("new_password")}
          />
          <label className="flex min-h-7 items-center gap-2 text-sm">
            <input type="checkbox" {...register("revoke_keys")} />
            {text.revokeKeys}
          </label>
        </Form>
      </div>
    </Panel>
  );
}

/** Change the address to log in with. */
export function LoginPanel() {
  const me = useAgent();
  const client = useQueryClient();
  const { register, getValues, reset } = useForm({
    defaultValues: { current_password: "", email: "" },
  });
  const submission = useSubmit(
    async () => {
      await confirmed(api.POST("/api/auth/email", { body: getValues() }));
      await client.invalidateQueries({ queryKey: ["me"] });
    },
    { done: text.loginChanged, onDone: () => reset() },
  );
  const { fields } = submission;
  return (
    <Panel title={text.loginTitle}>
      <p className="mb-4 max-w-prose text-sm text-soft">{text.loginNow(me.login)}</p>
      <div className="max-w-md">
        <Form
          submission={submission}
          label={text.changeLogin}
          shown={["current_password", "email"]}
        >
          <TextField
            label={text.newLogin}
            error={fields.get("email")}
            type="email"
            autoComplete="email"
            required
            {...register("email")}
          />
          <CurrentPassword
            error={fields.get("current_password")}
            {...register("current_password")}
          />
        </Form>
      </div>
    </Panel>
  );
}
