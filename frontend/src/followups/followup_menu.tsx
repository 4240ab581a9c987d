import { type ReactNode, useState } from "react";
import { api, written } from "@/api/client";
import { EmailDialog } from "@/emails/email_dialog";
import { clientPage, useNavigation } from "@/navigation";
import { text } from "@/text/followup";
import { useAct } from "@/ui/act";
import { Confirm } from "@/ui/confirm";
import { Menu, MenuItem } from "@/ui/menu";
import { isOpen, type Task } from "./followup";
import { RescheduleDialog } from "./reschedule_dialog";

interface FollowupMenuProps {
  task: Task;
  /** What the follow-up is called where it is shown. */
  name: string;
  /** What the button shows instead of dots; the menu then leads to the client, too. */
  label?: ReactNode;
  className?: string;
}

type OpenDialog = "reschedule" | "send now" | "cancel" | "email";

/** What can be done with a follow-up; nothing is shown where that is nothing. */
export function FollowupMenu({ task, name, label, className }: FollowupMenuProps) {
  const { go } = useNavigation();
  const [open, setOpen] = useState<OpenDialog>();
  const close = () => setOpen(undefined);
  const params = { path: { task_id: task._id } };
  const retry = useAct(
    () => written(api.POST("/api/tasks/{task_id}/retry", { params })),
    () => text.retryDone,
  );
  const { status, email_sent_id } = task;
  const isFlagged = status === "failed" && task.flags.length > 0;
  if (!label && !isOpen(task) && status !== "failed" && !email_sent_id) return null;
  return (
    <>
      <Menu
        label={label ?? <span aria-hidden>⋯</span>}
        of={text.menu(name)}
        className={className ?? "-my-1 size-7 shrink-0 rounded-box leading-none hover:bg-sunken"}
      >
        {label && (
          <MenuItem onChoose={() => go(clientPage(task.client_id))}>{text.openClient}</MenuItem>
        )}
        {status === "pending" && (
          <>
            <MenuItem onChoose={() => setOpen("reschedule")}>{text.reschedule}</MenuItem>
            <MenuItem onChoose={() => setOpen("send now")}>{text.sendNow}</MenuItem>
          </>
        )}
        {(status === "written" || isFlagged) && (
          <MenuItem onChoose={() => go(`/approve/?task=${task._id}`)}>{text.review}</MenuItem>
        )}
        {email_sent_id && <MenuItem onChoose={() => setOpen("email")}>{text.readEmail}</MenuItem>}
        {status === "failed" && <MenuItem onChoose={() => retry.mutate()}>{text.retry}</MenuItem>}
        {isOpen(task) && (
          <MenuItem isDanger onChoose={() => setOpen("cancel")}>
            {text.cancel}
          </MenuItem>
        )}
      </Menu>
      {open === "reschedule" && <RescheduleDialog task={task} name={name} onClose={close} />}
      {open === "email" && email_sent_id && <EmailDialog id={email_sent_id} onClose={close} />}
      {open === "send now" && (
        <Confirm
          title={text.sendNowTitle(name)}
          label={text.sendNow}
          act={() =>
            written(api.PATCH("/api/tasks/{task_id}", { params, body: { send_now: true } }))
          }
          done={text.sendNowDone}
          onClose={close}
        >
          {text.sendNowHint}
        </Confirm>
      )}
      {open === "cancel" && (
        <Confirm
          title={text.cancelTitle(name)}
          label={text.cancelButton}
          isDanger
          act={(key) =>
            written(
              api.POST("/api/tasks/{task_id}/cancel", {
                params: { ...params, header: { "Idempotency-Key": key } },
              }),
            )
          }
          done={text.cancelDone}
          onClose={close}
        >
          {text.cancelHint}
        </Confirm>
      )}
    </>
  );
}
