import { useState } from "react";
import { useForm } from "react-hook-form";
import { api } from "@/api/client";
import { text } from "@/text/forgot";
import { TextField } from "@/ui/field";
import { Form, useSubmit } from "@/ui/form";
import { OutsideCard } from "@/ui/outside_card";

/** Ask for a link to set a new password. Whether there is an account is not told. */
export default function ForgotScreen() {
  const [sentTo, setSentTo] = useState<string>();
  const { register, getValues } = useForm({ defaultValues: { email: "" } });
  const submission = useSubmit(() => api.POST("/api/auth/forgot", { body: getValues() }), {
    onDone: () => setSentTo(getValues("email")),
  });
  if (sentTo) {
    return (
      <OutsideCard title={text.sentTitle} logIn={text.backToLogIn}>
        <p role="status">{text.sent(sentTo)}</p>
      </OutsideCard>
    );
  }
  return (
    <OutsideCard title={text.title} logIn={text.backToLogIn}>
      <p className="text-sm text-soft">{text.hint}</p>
      <Form submission={submission} isWide label={text.send} shown={["email"]}>
        <TextField
          label={text.email}
          error={submission.fields.get("email")}
          type="email"
          autoComplete="username"
          required
          {...register("email")}
        />
      </Form>
    </OutsideCard>
  );
}
