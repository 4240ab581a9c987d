import { useQuery } from "@tanstack/react-query";
import { api, read, type Schemas, written } from "@/api/client";
import { text } from "@/text/emails";
import { BusyButton } from "@/ui/busy_button";
import { Dialog } from "@/ui/dialog";
import { Loaded } from "@/ui/loaded";
import { EmailBadge } from "./email_badge";
import { EmailProgress } from "./email_progress";

/** The text of an email, what became of it, and what can be decided about it. */
export function EmailDialog({ id, onClose }: { id: string; onClose(): void }) {
  const query = useQuery({
    queryKey: ["emails", id],
    queryFn: () => read(api.GET("/api/emails/{email_id}", { params: { path: { email_id: id } } })),
  });
  return (
    <Dialog title={query.data?.subject ?? text.readEmail} isOpen onClose={onClose} width="wide">
      <Loaded query={query}>
        {(email) => (
          <div className="grid gap-3 text-sm">
            <div className="flex flex-wrap items-center gap-x-4 gap-y-1 text-soft">
              <EmailBadge status={email.status} />
              {email.to_email && (
                <span className="[overflow-wrap:anywhere]">{text.to(email.to_email)}</span>
              )}
              {email.sent_at && <EmailProgress email={email} />}
            </div>
            {email.error_message && <p className="text-bad">{email.error_message}</p>}
            {/* Emails are plain text: nothing of them is HTML here. */}
            <p className="whitespace-pre-wrap [overflow-wrap:anywhere]">
              {email.body ?? text.erased}
            </p>
            <Decisions email={email} onClose={onClose} />
          </div>
        )}
      </Loaded>
    </Dialog>
  );
}

interface DecisionsProps {
  email: Schemas["EmailView"];
  onClose(): void;
}

function Decisions({ email: { _id, status, sent_at }, onClose }: DecisionsProps) {
  const params = { path: { email_id: _id } };
  const resolve = (resolution: Schemas["EmailResolutionKind"]) => () =>
    written(api.POST("/api/emails/{email_id}/resolve", { params, body: { resolution } }));
  if (status === "queued" && !sent_at) {
    return (
      <div className="flex justify-end">
        <BusyButton
          act={() => written(api.POST("/api/emails/{email_id}/cancel", { params }))}
          done={text.cancelled}
          onDone={onClose}
        >
          {text.cancel}
        </BusyButton>
      </div>
    );
  }
  if (status !== "unknown" && status !== "failed") return null;
  return (
    <div className="flex flex-wrap items-center justify-end gap-2">
      <p className="mr-auto text-soft">{text.settleHint}</p>
      <BusyButton act={resolve("resend")} done={text.settled} onDone={onClose}>
        {text.sendAgain}
      </BusyButton>
      {status === "unknown" && (
        <BusyButton look="main" act={resolve("sent")} done={text.settled} onDone={onClose}>
          {text.wasSent}
        </BusyButton>
      )}
    </div>
  );
}
