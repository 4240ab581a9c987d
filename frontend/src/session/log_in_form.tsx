import { useEffect, useRef, useState } from "react";
import { useForm } from "react-hook-form";
import { api } from "@/api/client";
import { ApiProblem, reasonOf } from "@/api/problem";
import { text as common } from "@/text/common";
import { text } from "@/text/login";
import { Button } from "@/ui/button";
import { TextField } from "@/ui/field";
import { Alert } from "@/ui/parts";

interface Fields {
  email: string;
  password: string;
  code: string;
}

interface LogInFormProps {
  /** Whose session it was: nobody else logs in here. */
  email?: string;
  /** The token of a one-time link, which is used at once in place of a password. */
  token?: string | undefined;
  onDeadToken?(): void;
  onDone(): void;
}

/** Log in by password or link and, where the account has one, a code of the second factor. */
export function LogInForm({ email, token, onDeadToken, onDone }: LogInFormProps) {
  const { register, handleSubmit, formState } = useForm<Fields>({
    defaultValues: { email: email ?? "", password: "", code: "" },
  });
  const [wantsCode, setWantsCode] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  const submit = handleSubmit(async ({ code, ...login }) => {
    setRefusal(undefined);
    const second = code ? { code } : {};
    try {
      await (token
        ? api.POST("/api/auth/link", { body: { token, ...second } })
        : api.POST("/api/auth/session", { body: { ...login, ...second } }));
      onDone();
    } catch (error) {
      const code = error instanceof ApiProblem ? error.code : "";
      if (code === "second_factor_required" && !wantsCode) setWantsCode(true);
      else if (code === "invalid_credentials") setRefusal(text.wrong);
      else if (token && code === "invalid_request") onDeadToken?.();
      else setRefusal(reasonOf(error, common.unreachable));
    }
  });
  const used = useRef<string>(undefined);
  useEffect(() => {
    if (!token || used.current === token) return;
    used.current = token;
    void submit();
  }, [token, submit]);
  return (
    <form onSubmit={(event) => void submit(event)} className="grid gap-4" noValidate>
      {refusal && <Alert>{refusal}</Alert>}
      {token ? (
        <p role="status">{text.onceOpening}</p>
      ) : (
        <>
          <TextField
            label={text.email}
            type="email"
            autoComplete="username"
            required
            readOnly={email !== undefined}
            {...register("email")}
          />
          <TextField
            label={text.password}
            type="password"
            autoComplete="current-password"
            required
            {...register("password")}
          />
        </>
      )}
      {wantsCode && (
        <TextField
          label={text.code}
          hint={text.codeHint}
          autoComplete="one-time-code"
          autoFocus
          required
          {...register("code")}
        />
      )}
      {(!token || wantsCode) && (
        <Button type="submit" look="main" isBusy={formState.isSubmitting}>
          {text.logIn}
        </Button>
      )}
    </form>
  );
}
