import { useRef, useState } from "react";
import { useForm } from "react-hook-form";
import { api, read, type Schemas } from "@/api/client";
import { useAgent } from "@/shell/me";
import { text } from "@/text/settings";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Field, inputClasses, Select, TextField } from "@/ui/field";
import { Form, useSubmit } from "@/ui/form";
import { Alert } from "@/ui/parts";
import { confirmed } from "./confirmed";
import { CurrentPassword } from "./current_password";

type Expiry = keyof typeof text.expiries;

const SHOWN = ["name", "expires_at", "current_password"];
const EXPIRIES = Object.entries(text.expiries);
const SCOPES = Object.entries(text.scopes) as [Schemas["Scope"], string][];
const DAY_MS = 86_400_000;

/** Create a key, which is then shown once. */
export function NewKeyDialog({ onClose }: { onClose(): void }) {
  const [created, setCreated] = useState<Schemas["CreatedApiKey"]>();
  return created ? (
    <Dialog title={text.keyTitle(created.name)} isOpen>
      <ShownKey secret={created.key} onClose={onClose} />
    </Dialog>
  ) : (
    <Dialog title={text.newKey} isOpen onClose={onClose}>
      <NewKeyForm onDone={setCreated} onClose={onClose} />
    </Dialog>
  );
}

interface FormProps {
  onDone(created: Schemas["CreatedApiKey"]): void;
  onClose(): void;
}

function NewKeyForm({ onDone, onClose }: FormProps) {
  const isAdmin = useAgent().role === "admin";
  const { register, getValues } = useForm({
    defaultValues: {
      name: "",
      scopes: ["read"] as Schemas["Scope"][],
      expires: "365" as Expiry,
      current_password: "",
    },
  });
  const submission = useSubmit(
    () => {
      const { expires, ...body } = getValues();
      const expires_at = expires === "never" ? null : daysFromNow(Number(expires));
      return confirmed(read(api.POST("/api/keys", { body: { ...body, expires_at } })));
    },
    { onDone },
  );
  const { fields } = submission;
  return (
    <Form submission={submission} label={text.createKey} shown={SHOWN} onCancel={onClose}>
      <TextField
        label={text.keyName}
        hint={text.keyNameHint}
        error={fields.get("name")}
        required
        {...register("name")}
      />
      <fieldset className="text-sm">
        <legend className="mb-1 font-medium">{text.keyScopes}</legend>
        <div className="flex flex-wrap gap-x-4">
          {SCOPES.filter(([scope]) => scope !== "admin" || isAdmin).map(([scope, words]) => (
            <label key={scope} className="flex min-h-7 items-center gap-1.5">
              <input type="checkbox" value={scope} {...register("scopes")} />
              {words}
            </label>
          ))}
        </div>
      </fieldset>
      <Select
        label={text.keyExpires}
        error={fields.get("expires_at")}
        options={EXPIRIES}
        {...register("expires")}
      />
      <CurrentPassword error={fields.get("current_password")} {...register("current_password")} />
    </Form>
  );
}

function ShownKey({ secret, onClose }: { secret: string; onClose(): void }) {
  const input = useRef<HTMLInputElement>(null);
  const [told, setTold] = useState("");
  const copy = async () => {
    input.current?.select();
    try {
      await navigator.clipboard.writeText(secret);
      setTold(text.copied);
    } catch {
      setTold(text.notCopied);
    }
  };
  return (
    <div className="grid gap-4">
      <Alert tone="warn">{text.keyOnce}</Alert>
      <Field label={text.key}>
        {(described) => (
          <div className="flex gap-2">
            <input
              ref={input}
              readOnly
              value={secret}
              className={`${inputClasses} font-mono`}
              {...described}
            />
            <Button onClick={() => void copy()}>{text.copyKey}</Button>
          </div>
        )}
      </Field>
      <p role="status" className="min-h-5 text-sm">
        {told}
      </p>
      <div className="flex justify-end">
        <Button look="main" onClick={onClose}>
          {text.keyDone}
        </Button>
      </div>
    </div>
  );
}

function daysFromNow(days: number): string {
  return new Date(Date.now() + days * DAY_MS).toISOString();
}
