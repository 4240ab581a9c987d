import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { ApiProblem, reasonOf } from "@/api/problem";
import { refreshAll } from "@/api/queries";
import { text } from "@/text/common";
import { Button } from "./button";
import { Alert } from "./parts";
import { tell } from "./toast";

/** These leave open whether the request has been carried out, as does no answer at all. */
const RETRIABLE: ReadonlySet<number> = new Set([408, 425, 429]);

interface SubmitOptions<T> {
  /** What is told once it is done. */
  done?: string;
  onDone?(result: T): void;
}

/**
 * What a form asks of the API, once at a time. `act` is given an Idempotency-Key: of this form,
 * until the API has refused what was sent with it.
 */
export function useSubmit<T>(act: (key: string) => Promise<T>, options: SubmitOptions<T> = {}) {
  const client = useQueryClient();
  const isUnderWay = useRef(false);
  const [key, setKey] = useState(() => crypto.randomUUID());
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => act(key),
    onSuccess: (result) => {
      if (options.done) tell(options.done);
      options.onDone?.(result);
    },
    onError: (reason) => {
      if (isRefusal(reason)) setKey(crypto.randomUUID());
    },
    onSettled: () => {
      isUnderWay.current = false;
      refreshAll(client);
    },
  });
  const submit = () => {
    // A second press may come before the button shows that it is busy.
    if (isUnderWay.current) return;
    isUnderWay.current = true;
    mutate();
  };
  const fields = error instanceof ApiProblem ? error.fields : new Map<string, string>();
  return { submit, isBusy: isPending, error, fields };
}

function isRefusal(error: unknown): boolean {
  return error instanceof ApiProblem && error.status < 500 && !RETRIABLE.has(error.status);
}

interface FormProps {
  submission: Pick<ReturnType<typeof useSubmit>, "submit" | "isBusy" | "error" | "fields">;
  /** What the button says that submits it. */
  label: string;
  isDanger?: boolean;
  /** Whether the button is as wide as the fields. */
  isWide?: boolean;
  /** Without it there is no way back: the form stands in a page. */
  onCancel?: (() => void) | undefined;
  /** The fields that show themselves what is wrong with them. */
  shown?: readonly string[];
  children?: ReactNode;
}

/** A form: what is wrong, the fields, and the buttons. The first wrong field has focus. */
export function Form({
  submission,
  label,
  isDanger,
  isWide,
  onCancel,
  shown = [],
  children,
}: FormProps) {
  const { submit, isBusy, error } = submission;
  const ref = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (error) ref.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [error]);
  return (
    <form
      ref={ref}
      noValidate
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {error && <Refusal error={error} shown={shown} />}
      {children}
      <div className={isWide ? "grid" : `flex flex-wrap gap-2 ${onCancel ? "justify-end" : ""}`}>
        {onCancel && <Button onClick={onCancel}>{text.back}</Button>}
        <Button type="submit" look={isDanger ? "danger" : "main"} isBusy={isBusy}>
          {label}
        </Button>
      </div>
    </form>
  );
}

/** What is against it, but for what stands beside the fields. */
function Refusal({ error, shown }: { error: Error; shown: readonly string[] }) {
  if (!(error instanceof ApiProblem)) return <Alert>{text.unreachable}</Alert>;
  if (error.code === "idempotency_key_reused") return <Alert>{text.perhapsDone}</Alert>;
  const rest = [...error.fields].filter(([field]) => !shown.includes(field));
  if (error.fields.size > 0 && rest.length === 0) return null;
  const words = rest.map(([field, reason]) => `${field}: ${reason}`).join("; ");
  return <Alert>{words || reasonOf(error, text.unreachable)}</Alert>;
}
