import { useEffect, useState } from "react";
import { useForm } from "react-hook-form";
import { api } from "@/api/client";
import { ApiProblem } from "@/api/problem";
import { text } from "@/text/register";
import { TextField } from "@/ui/field";
import { Form, useSubmit } from "@/ui/form";
import { OutsideCard } from "@/ui/outside_card";
import { Alert } from "@/ui/parts";
import { ZoneField } from "@/ui/zone_field";

const SHOWN = ["name", "email", "password", "time_zone"];
/** The API has no registration where it is closed. */
const CLOSED: ReadonlySet<number> = new Set([403, 404]);

/** Ask for an account; it is there once the mailed link was opened. */
export default function RegisterScreen() {
  const [sentTo, setSentTo] = useState<string>();
  const { register, getValues, setValue } = useForm({
    defaultValues: { name: "", email: "", password: "", time_zone: "" },
  });
  // Known only in the browser, not while the page is exported.
  useEffect(() => {
    setValue("time_zone", Intl.DateTimeFormat().resolvedOptions().timeZone);
  }, [setValue]);
  const submission = useSubmit(() => api.POST("/api/auth/register", { body: getValues() }), {
    onDone: () => setSentTo(getValues("email")),
  });
  const { error, fields } = submission;
  if (sentTo) {
    return (
      <OutsideCard title={text.sentTitle} logIn={text.backToLogIn}>
        <p role="status">{text.sent(sentTo)}</p>
      </OutsideCard>
    );
  }
  if (error instanceof ApiProblem && CLOSED.has(error.status)) {
    return (
      <OutsideCard title={text.closedTitle} logIn={text.backToLogIn}>
        <Alert tone="warn">{text.closed}</Alert>
      </OutsideCard>
    );
  }
  return (
    <OutsideCard title={text.title} logIn={text.logIn}>
      <Form submission={submission} isWide label={text.create} shown={SHOWN}>
        <TextField
          label={text.name}
          hint={text.nameHint}
          error={fields.get("name")}
          autoComplete="name"
          required
          {...register("name")}
        />
        <TextField
          label={text.email}
          error={fields.get("email")}
          type="email"
          autoComplete="username"
          required
          {...register("email")}
        />
        <TextField
          label={text.password}
          hint={text.passwordHint}
          error={fields.get("password")}
          type="password"
          autoComplete="new-password"
          required
          {...register("password")}
        />
        <ZoneField
          label={text.zone}
          hint={text.zoneHint}
          error={fields.get("time_zone")}
          required
          {...register("time_zone")}
        />
      </Form>
    </OutsideCard>
  );
}
