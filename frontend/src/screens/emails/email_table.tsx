import type { Schemas } from "@/api/client";
import { EmailBadge } from "@/emails/email_badge";
import { EmailProgress } from "@/emails/email_progress";
import { clientPage, Link } from "@/navigation";
import { useZone } from "@/shell/me";
import { text } from "@/text/emails";
import { dateTime } from "@/time/zone";

interface EmailTableProps {
  emails: Schemas["ListedEmail"][];
  onRead(id: string): void;
}

/** A row for each email; its subject opens the text. */
export function EmailTable({ emails, onRead }: EmailTableProps) {
  const zone = useZone();
  return (
    <section
      aria-label={text.list}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by the keyboard.
      tabIndex={0}
      className="overflow-x-auto rounded-box border border-line bg-surface"
    >
      <table className="w-full min-w-[46rem] text-left text-sm [&_td]:px-3 [&_td]:py-2 [&_th]:px-3 [&_th]:py-2">
        <thead className="border-b border-line text-soft">
          <tr>
            {[text.subject, text.client, text.step, text.status, text.created].map((label) => (
              <th key={label} scope="col" className="font-medium">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {emails.map((email) => (
            <tr key={email._id}>
              <th scope="row" className="font-normal">
                <button
                  type="button"
                  onClick={() => onRead(email._id)}
                  className="min-h-6 text-left text-accent underline [overflow-wrap:anywhere]"
                >
                  {email.subject ?? text.noSubject}
                </button>
                {email.sent_at && <EmailProgress email={email} />}
              </th>
              <td>
                {email.client_name === null ? (
                  text.deletedClient
                ) : (
                  <Link
                    href={clientPage(email.client_id)}
                    className="inline-block min-h-6 underline [overflow-wrap:anywhere]"
                  >
                    {email.client_name}
                  </Link>
                )}
              </td>
              <td>{email.step}</td>
              <td>
                <EmailBadge status={email.status} />
              </td>
              <td className="whitespace-nowrap tabular-nums">{dateTime(email.created_at, zone)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
