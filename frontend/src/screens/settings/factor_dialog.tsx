import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { api, read, type Schemas } from "@/api/client";
import { text } from "@/text/settings";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { TextField } from "@/ui/field";
import { Form, useSubmit } from "@/ui/form";
import { confirmed } from "./confirmed";
import { CurrentPassword } from "./current_password";

const GROUP = /.{1,4}/g;

/** Add a second factor, in place of one that there is: password, secret and code, recovery codes. */
export function FactorDialog({ hasOne, onClose }: { hasOne: boolean; onClose(): void }) {
  const client = useQueryClient();
  const [enrolment, setEnrolment] = useState<Schemas["SecondFactorEnrolment"]>();
  const [codes, setCodes] = useState<string[]>();
  if (codes) {
    return (
      <Dialog title={text.codesTitle} isOpen>
        <p className="mb-4 text-sm">{text.codesHint}</p>
        <ul className="grid gap-1 rounded-box bg-sunken p-4 font-mono text-sm sm:grid-cols-2">
          {codes.map((code) => (
            <li key={code}>{code}</li>
          ))}
        </ul>
        <div className="mt-4 flex justify-end">
          <Button look="main" onClick={onClose}>
            {text.codesKept}
          </Button>
        </div>
      </Dialog>
    );
  }
  const onConfirmed = (recovery: string[]) => {
    setCodes(recovery);
    void client.invalidateQueries({ queryKey: ["me"] });
  };
  return (
    <Dialog title={hasOne ? text.factorReplace : text.factorAdd} isOpen onClose={onClose}>
      {enrolment ? (
        <ConfirmForm enrolment={enrolment} onDone={onConfirmed} onClose={onClose} />
      ) : (
        <BeginForm hasOne={hasOne} onDone={setEnrolment} onClose={onClose} />
      )}
    </Dialog>
  );
}

interface BeginProps {
  hasOne: boolean;
  onDone(enrolment: Schemas["SecondFactorEnrolment"]): void;
  onClose(): void;
}

function BeginForm({ hasOne, onDone, onClose }: BeginProps) {
  const { register, getValues } = useForm({ defaultValues: { current_password: "", code: "" } });
  const submission = useSubmit(
    () => {
      const { current_password, code } = getValues();
      const body = { current_password, code: code || null };
      return confirmed(read(api.POST("/api/auth/totp", { body })));
    },
    { onDone },
  );
  const { fields } = submission;
  return (
    <Form
      submission={submission}
      label={text.next}
      shown={["current_password", "code"]}
      onCancel={onClose}
    >
      <CurrentPassword error={fields.get("current_password")} {...register("current_password")} />
      {hasOne && (
        <TextField
          label={text.codeOrRecovery}
          error={fields.get("code")}
          autoComplete="one-time-code"
          required
          {...register("code")}
        />
      )}
    </Form>
  );
}

interface ConfirmProps {
  enrolment: Schemas["SecondFactorEnrolment"];
  onDone(recoveryCodes: string[]): void;
  onClose(): void;
}

function ConfirmForm({ enrolment, onDone, onClose }: ConfirmProps) {
  const { register, getValues } = useForm({ defaultValues: { code: "" } });
  const submission = useSubmit(
    () => read(api.POST("/api/auth/totp/confirm", { body: getValues() })),
    { onDone: ({ recovery_codes }) => onDone(recovery_codes) },
  );
  return (
    <Form submission={submission} label={text.confirm} shown={["code"]} onCancel={onClose}>
      <p className="text-sm">{text.secretHint}</p>
      <p className="rounded-box bg-sunken p-3 text-center font-mono tracking-wide">
        <span className="sr-only">{text.secret}: </span>
        {enrolment.secret.match(GROUP)?.join(" ")}
      </p>
      <p className="text-sm">
        <a href={enrolment.uri} className="text-accent underline">
          {text.openApp}
        </a>
      </p>
      <TextField
        label={text.code}
        hint={text.codeHint}
        error={submission.fields.get("code")}
        inputMode="numeric"
        autoComplete="one-time-code"
        required
        {...register("code")}
      />
    </Form>
  );
}
