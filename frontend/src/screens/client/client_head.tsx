import { useState } from "react";
import { useZone } from "@/shell/me";
import { text } from "@/text/client";
import { names } from "@/text/common";
import { day } from "@/time/zone";
import { Button } from "@/ui/button";
import { Menu, MenuItem } from "@/ui/menu";
import { Alert, Badge } from "@/ui/parts";
import { DeleteDialog } from "./delete_dialog";
import { EditDialog } from "./edit_dialog";
import { OptOutDialog, ReplyDialog } from "./outcome_dialogs";
import type { Client, TaggedClient } from "./queries";
import { StageSelect } from "./stage_select";

type OpenDialog = "edit" | "reply" | "opt out" | "delete";

/** Who the client is, how far the deal is, and what can be done. */
export function ClientHead({ client, tag }: TaggedClient) {
  const zone = useZone();
  const [open, setOpen] = useState<OpenDialog>();
  const close = () => setOpen(undefined);
  return (
    <header className="grid gap-3 rounded-box border border-line bg-surface p-4">
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0 flex-1 basis-64">
          <div className="mb-1 flex flex-wrap items-center gap-x-3 gap-y-1">
            <h1 className="min-w-0 text-2xl font-semibold [overflow-wrap:anywhere]">
              {client.name}
            </h1>
            <Badges client={client} />
          </div>
          <Contact client={client} />
        </div>
        <div className="flex flex-wrap items-end gap-2">
          <StageSelect client={client} />
          <Button onClick={() => setOpen("edit")}>{text.edit}</Button>
          <Menu label={text.more}>
            <MenuItem onChoose={() => setOpen("reply")}>{text.recordReply}</MenuItem>
            {client.email_status !== "unsubscribed" && (
              <MenuItem onChoose={() => setOpen("opt out")}>{text.optOut}</MenuItem>
            )}
            <MenuItem isDanger onChoose={() => setOpen("delete")}>
              {text.remove}
            </MenuItem>
          </Menu>
        </div>
      </div>
      {client.email_status && (
        <Alert tone={client.email_status === "bounced" ? "warn" : "bad"}>
          <strong>{names.suppression[client.email_status]}.</strong>{" "}
          {text.noEmails[client.email_status]}{" "}
          {client.unsubscribed_at && text.since(day(client.unsubscribed_at, zone))}
        </Alert>
      )}
      {open === "edit" && <EditDialog client={client} tag={tag} onClose={close} />}
      {open === "reply" && <ReplyDialog clientId={client._id} onClose={close} />}
      {open === "opt out" && <OptOutDialog client={client} onClose={close} />}
      {open === "delete" && <DeleteDialog client={client} onClose={close} />}
    </header>
  );
}

function Badges({ client }: { client: Client }) {
  const zone = useZone();
  return (
    <>
      {client.email_status && <Badge tone="bad">{names.suppression[client.email_status]}</Badge>}
      {client.replied_at && <Badge tone="good">{text.replied(day(client.replied_at, zone))}</Badge>}
      {client.plan_paused && <Badge tone="warn">{text.paused}</Badge>}
    </>
  );
}

function Contact({ client }: { client: Client }) {
  const link = "inline-block min-h-6 text-accent underline [overflow-wrap:anywhere]";
  return (
    <p className="flex flex-wrap gap-x-4 text-sm text-soft">
      <a href={`mailto:${client.email}`} className={link}>
        {client.email}
      </a>
      {client.phone && (
        <a href={`tel:${client.phone.replaceAll(/[^+\d]/g, "")}`} className={link}>
          {client.phone}
        </a>
      )}
      {client.property_address && <span>{client.property_address}</span>}
    </p>
  );
}
