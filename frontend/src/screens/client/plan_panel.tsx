import { useState } from "react";
import { api, written } from "@/api/client";
import { isOpen } from "@/followups/followup";
import { text } from "@/text/client";
import { BusyButton } from "@/ui/busy_button";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { Loaded } from "@/ui/loaded";
import { Empty, Panel, Skeleton } from "@/ui/parts";
import { AddFollowupDialog } from "./add_followup_dialog";
import { PlanAgainDialog } from "./plan_again_dialog";
import { type Client, usePlan, useSteps } from "./queries";
import { Step } from "./step";

type OpenDialog = "cancel" | "again" | "add";

/** The client's follow-ups as a line of steps, and what can be done with all of them. */
export function PlanPanel({ client }: { client: Client }) {
  const query = useSteps(client._id);
  const plan = usePlan(client._id).data;
  const [open, setOpen] = useState<OpenDialog>();
  const close = () => setOpen(undefined);
  const params = { path: { client_id: client._id } };
  const unsent = query.data?.steps.filter(isOpen).length ?? 0;
  const isWritable = client.email_status === null;
  const isEnded = client.stage === "closed" || client.stage === "lost";
  return (
    <Panel
      title={plan?.sequence ? text.planOf(plan.sequence) : text.plan}
      aside={
        <div className="flex flex-wrap gap-2">
          {client.plan_paused && (isWritable || unsent > 0) && (
            <BusyButton
              look="main"
              act={() => written(api.POST("/api/clients/{client_id}/plan/resume", { params }))}
              done={text.resumeDone}
            >
              {text.resume}
            </BusyButton>
          )}
          {!client.plan_paused && plan !== undefined && plan.pending > 0 && (
            <BusyButton
              act={() => written(api.POST("/api/clients/{client_id}/plan/pause", { params }))}
              done={text.pauseDone}
            >
              {text.pause}
            </BusyButton>
          )}
          {unsent > 0 && <Button onClick={() => setOpen("cancel")}>{text.cancelPlan}</Button>}
          {isWritable && plan?.pending === 0 && (
            <Button onClick={() => setOpen("again")}>{text.planAgain}</Button>
          )}
          {isWritable && !isEnded && (
            <Button onClick={() => setOpen("add")}>{text.addFollowup}</Button>
          )}
        </div>
      }
    >
      <Loaded query={query} skeleton={<Skeleton className="h-28" />}>
        {({ steps, earlier }) => (
          <>
            {earlier > 0 && <p className="mb-2 text-sm text-soft">{text.earlier(earlier)}</p>}
            {steps.length === 0 ? (
              <Empty title={text.noSteps}>{isWritable && text.noStepsHint}</Empty>
            ) : (
              <ol className="grid grid-cols-[repeat(auto-fill,minmax(min(10.25rem,100%),1fr))] gap-2">
                {steps.map((step) => (
                  <Step key={step._id} step={step} />
                ))}
              </ol>
            )}
          </>
        )}
      </Loaded>
      {open === "cancel" && (
        <Confirm
          title={text.cancelPlanTitle}
          label={text.cancelPlan}
          isDanger
          act={(key) =>
            written(
              api.POST("/api/clients/{client_id}/plan/cancel", {
                params: { ...params, header: { "Idempotency-Key": key } },
              }),
            )
          }
          done={text.cancelPlanDone}
          onClose={close}
        >
          {text.cancelPlanHint(unsent)}
        </Confirm>
      )}
      {open === "again" && <PlanAgainDialog client={client} onClose={close} />}
      {open === "add" && <AddFollowupDialog clientId={client._id} onClose={close} />}
    </Panel>
  );
}
