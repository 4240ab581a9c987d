import { useState } from "react";
import { api, read, type Schemas, written } from "@/api/client";
import { Link } from "@/navigation";
import { text } from "@/text/today";
import { BusyButton } from "@/ui/busy_button";
import { Button, buttonClasses } from "@/ui/button";
import { Dialog } from "@/ui/dialog";

interface ActionProps {
  kind: Schemas["AttentionKind"];
  item: Schemas["AttentionItem"];
}

/** The one thing that settles what waits. */
export function AttentionAction({ kind, item }: ActionProps) {
  const label = `: ${item.client_name}`;
  if (kind === "replied") {
    const path = { client_id: item.client_id };
    return (
      <BusyButton
        act={() => written(api.POST("/api/clients/{client_id}/plan/resume", { params: { path } }))}
        done={text.resumed}
      >
        {text.resume}
        <span className="sr-only">{label}</span>
      </BusyButton>
    );
  }
  const task_id = item.task_id ?? "";
  const params = { path: { task_id } };
  if (kind === "approve" || kind === "flagged") {
    return (
      <Link href={`/approve/?task=${task_id}`} className={buttonClasses("main")}>
        {text.review}
        <span className="sr-only">{label}</span>
      </Link>
    );
  }
  if (kind === "failed") {
    return (
      <BusyButton
        act={() => written(api.POST("/api/tasks/{task_id}/retry", { params }))}
        done={text.retried}
      >
        {text.retry}
        <span className="sr-only">{label}</span>
      </BusyButton>
    );
  }
  if (kind === "overdue") {
    return (
      <BusyButton
        act={() => written(api.POST("/api/tasks/{task_id}/cancel", { params }))}
        done={text.cancelled}
      >
        {text.cancelFollowup}
        <span className="sr-only">{label}</span>
      </BusyButton>
    );
  }
  return <SettleUnknown taskId={task_id} clientId={item.client_id} clientName={item.client_name} />;
}

interface SettleProps {
  taskId: string;
  clientId: string;
  clientName: string;
}

/** The follow-up names its email only once that is sent: it is found among the client's. */
function SettleUnknown({ taskId, clientId, clientName }: SettleProps) {
  const [isOpen, setOpen] = useState(false);
  const close = () => setOpen(false);
  const resolve = async (resolution: Schemas["EmailResolutionKind"]) => {
    const query = { client_id: clientId, status: ["unknown" as const], limit: 100 };
    const emails = await read(api.GET("/api/emails", { params: { query } }));
    const found = emails.find(({ task_id }) => task_id === taskId);
    // Somebody else has settled it.
    if (!found) return;
    const params = { path: { email_id: found._id } };
    await written(api.POST("/api/emails/{email_id}/resolve", { params, body: { resolution } }));
  };
  return (
    <>
      <Button onClick={() => setOpen(true)}>
        {text.settle}
        <span className="sr-only">: {clientName}</span>
      </Button>
      <Dialog title={text.settleTitle} isOpen={isOpen} onClose={close}>
        <p className="mb-4 text-sm">{text.settleHint(clientName)}</p>
        <div className="flex flex-wrap justify-end gap-2">
          <BusyButton act={() => resolve("resend")} done={text.settled} onDone={close}>
            {text.sendAgain}
          </BusyButton>
          <BusyButton look="main" act={() => resolve("sent")} done={text.settled} onDone={close}>
            {text.wasSent}
          </BusyButton>
        </div>
      </Dialog>
    </>
  );
}
