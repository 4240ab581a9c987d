import { useState } from "react";
import type { Schemas } from "@/api/client";
import { EmailBadge } from "@/emails/email_badge";
import { EmailDialog } from "@/emails/email_dialog";
import { EmailProgress } from "@/emails/email_progress";
import { text } from "@/text/client";
import { Loaded } from "@/ui/loaded";
import { MoreButton } from "@/ui/more_button";
import { Empty, Panel } from "@/ui/parts";
import { useEmails } from "./queries";

type Email = Schemas["ListedEmail"];

/** What was sent to the client, and what became of it: a row for each email. */
export function EmailsPanel({ clientId }: { clientId: string }) {
  const query = useEmails(clientId);
  const [read, setRead] = useState<string>();
  return (
    <Panel title={text.emails}>
      <Loaded query={query}>
        {({ pages }) =>
          pages[0]?.rows.length === 0 ? (
            <Empty title={text.noEmailsYet}>{text.noEmailsYetHint}</Empty>
          ) : (
            <>
              <ul className="divide-y divide-line">
                {pages
                  .flatMap(({ rows }) => rows)
                  .map((email) => (
                    <EmailRow key={email._id} email={email} onRead={() => setRead(email._id)} />
                  ))}
              </ul>
              <MoreButton query={query} of={text.emails} />
            </>
          )
        }
      </Loaded>
      {read && <EmailDialog id={read} onClose={() => setRead(undefined)} />}
    </Panel>
  );
}

function EmailRow({ email, onRead }: { email: Email; onRead(): void }) {
  return (
    <li className="grid gap-1 py-2.5">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
        <button
          type="button"
          onClick={onRead}
          className="min-h-6 min-w-0 text-left text-accent underline [overflow-wrap:anywhere]"
        >
          {email.subject ?? text.noSubject}
        </button>
        <EmailBadge status={email.status} />
      </div>
      {email.sent_at && <EmailProgress email={email} />}
      {email.error_message && <p className="text-sm text-bad">{email.error_message}</p>}
    </li>
  );
}
