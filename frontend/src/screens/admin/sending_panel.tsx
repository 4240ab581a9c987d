import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { api, read, type Schemas, written } from "@/api/client";
import { useZone } from "@/shell/me";
import { text } from "@/text/admin";
import { dateTime } from "@/time/zone";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { Dialog } from "@/ui/dialog";
import { TextField } from "@/ui/field";
import { Form, useSubmit } from "@/ui/form";
import { Loaded } from "@/ui/loaded";
import { Badge, Panel, type Tone } from "@/ui/parts";
import { AgentName } from "./agent_name";

const TONES: Record<Schemas["SendingState"], Tone> = {
  active: "good",
  pausing: "warn",
  paused: "bad",
};

/** The switch that stops all emails to clients. */
export function SendingPanel() {
  const query = useQuery({
    queryKey: ["sending"],
    queryFn: () => read(api.GET("/api/admin/sending")),
  });
  const [isOpen, setOpen] = useState(false);
  const close = () => setOpen(false);
  return (
    <Panel title={text.sending}>
      <Loaded query={query}>
        {(sending) => {
          const isActive = sending.state === "active";
          return (
            <>
              <div className="flex flex-wrap items-center justify-between gap-4">
                <State sending={sending} />
                <Button look={isActive ? "danger" : "main"} onClick={() => setOpen(true)}>
                  {isActive ? text.pause : text.resume}
                </Button>
              </div>
              {isOpen && isActive && <PauseDialog onClose={close} />}
              {isOpen && !isActive && <ResumeDialog onClose={close} />}
            </>
          );
        }}
      </Loaded>
    </Panel>
  );
}

function State({ sending: { state, since, by, reason } }: { sending: Schemas["SendingView"] }) {
  const zone = useZone();
  return (
    <div role="status" className="grid gap-1">
      <p className="flex flex-wrap items-center gap-2">
        <Badge tone={TONES[state]}>{text.states[state]}</Badge>
        <span className="text-sm">{text.stateHints[state]}</span>
      </p>
      {since && (
        <p className="text-sm text-soft">
          {text.since(dateTime(since, zone))}
          {by && (
            <>
              {" · "}
              {text.by} <AgentName id={by} />
            </>
          )}
          {reason && ` · ${text.reason}: ${reason}`}
        </p>
      )}
    </div>
  );
}

function PauseDialog({ onClose }: { onClose(): void }) {
  const { register, getValues } = useForm({ defaultValues: { reason: "" } });
  const submission = useSubmit(
    (key) => {
      const params = { header: { "Idempotency-Key": key } };
      const body = { reason: getValues("reason").trim() || null };
      return written(api.POST("/api/admin/sending/pause", { params, body }));
    },
    { done: text.paused, onDone: onClose },
  );
  return (
    <Dialog title={text.pause} isOpen onClose={onClose}>
      <Form
        submission={submission}
        label={text.pause}
        isDanger
        shown={["reason"]}
        onCancel={onClose}
      >
        <p className="text-sm">{text.pauseHint}</p>
        <TextField
          label={text.pauseReason}
          hint={text.pauseReasonHint}
          error={submission.fields.get("reason")}
          {...register("reason")}
        />
      </Form>
    </Dialog>
  );
}

function ResumeDialog({ onClose }: { onClose(): void }) {
  return (
    <Confirm
      title={text.resume}
      label={text.resume}
      act={(key) =>
        written(
          api.POST("/api/admin/sending/resume", {
            params: { header: { "Idempotency-Key": key } },
          }),
        )
      }
      done={text.resumed}
      onClose={onClose}
    >
      {text.resumeHint}
    </Confirm>
  );
}
