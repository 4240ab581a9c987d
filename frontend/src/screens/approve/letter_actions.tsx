import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, written } from "@/api/client";
import { useAgent, useZone } from "@/shell/me";
import { useShortcut } from "@/shell/shortcuts";
import { text } from "@/text/approve";
import { departure } from "@/time/zone";
import { useAct } from "@/ui/act";
import { BusyButton } from "@/ui/busy_button";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { tell } from "@/ui/toast";
import type { Autosave, Letter } from "./autosave";
import { letterKey, useClientName } from "./queries";
import { RewriteDialog } from "./rewrite_dialog";

interface ActionsProps {
  letter: Letter;
  edit: Autosave | undefined;
  onEdit(): void;
  onDecided(): void;
  onDeciding(isDeciding: boolean): void;
  onRewritten(): void;
}

/** What can be done with the letter, by buttons and keys. Each of it is done to what is saved. */
export function LetterActions(props: ActionsProps) {
  const { letter, edit, onEdit, onDecided, onDeciding, onRewritten } = props;
  const { draft } = letter;
  const { email } = useAgent();
  const zone = useZone();
  const client = useQueryClient();
  const [open, setOpen] = useState<"rewrite" | "discard">();
  const close = () => setOpen(undefined);
  const name = useClientName(draft.client_id) ?? draft.to_email ?? "";
  const path = { task_id: draft._id };
  const saved = async () => (edit ? edit.flush() : letter);

  /** Decide about just the letter that is shown; one that has changed is shown anew. */
  const decide = async (ask: (tag: string) => Promise<unknown>) => {
    onDeciding(true);
    try {
      await ask((await saved()).tag);
    } catch (error) {
      onDeciding(false);
      void client.invalidateQueries({ queryKey: letterKey(draft._id) });
      throw error;
    }
  };
  const approve = useAct(() =>
    decide((tag) =>
      written(
        api.POST("/api/tasks/{task_id}/draft/approve", {
          params: { path, header: { "If-Match": tag } },
        }),
      ),
    ),
  );
  const isWritten = draft.subject !== null;
  const isToApprove = isWritten && (draft.status === "waiting" || draft.status === "flagged");
  const leaves = draft.due ? text.leftAtOnce : text.leaves(departure(draft.scheduled_for, zone));
  const pressApprove = () =>
    approve.mutate(undefined, {
      onSuccess: () => {
        tell(text.approveDone(name, leaves));
        onDecided();
      },
    });
  useShortcut(isToApprove ? "a" : null, pressApprove);
  useShortcut(isWritten && !edit ? "e" : null, onEdit);
  useShortcut(isWritten ? "r" : null, () => setOpen("rewrite"));
  if (!isWritten) return null;
  return (
    <div className="top-0 z-10 -mx-1 flex flex-wrap gap-2 bg-canvas px-1 py-2 lg:sticky">
      {isToApprove && (
        <Button look="main" isBusy={approve.isPending} aria-keyshortcuts="a" onClick={pressApprove}>
          {text.approve} <Key name="A" />
        </Button>
      )}
      {!edit && (
        <Button aria-keyshortcuts="e" onClick={onEdit}>
          {text.edit} <Key name="E" />
        </Button>
      )}
      <Button aria-keyshortcuts="r" onClick={() => setOpen("rewrite")}>
        {text.rewrite} <Key name="R" />
      </Button>
      <BusyButton
        act={async () => {
          await saved();
          await written(api.POST("/api/tasks/{task_id}/draft/test", { params: { path } }));
        }}
        done={text.testDone(email)}
      >
        {text.test}
      </BusyButton>
      <Button look="danger" className="sm:ml-auto" onClick={() => setOpen("discard")}>
        {text.discard}
      </Button>
      {open === "rewrite" && (
        <RewriteDialog taskId={draft._id} saved={saved} onClose={close} onDone={onRewritten} />
      )}
      {open === "discard" && (
        <Confirm
          title={text.discardTitle}
          label={text.discard}
          isDanger
          act={async (key) => {
            await decide((tag) =>
              written(
                api.POST("/api/tasks/{task_id}/draft/discard", {
                  params: { path, header: { "If-Match": tag, "Idempotency-Key": key } },
                }),
              ),
            );
            onDecided();
          }}
          done={text.discardDone}
          onClose={close}
        >
          {draft.due ? text.discardDue : text.discardLater}
        </Confirm>
      )}
    </div>
  );
}

function Key({ name }: { name: string }) {
  return (
    <kbd aria-hidden className="hidden rounded-sm border border-current px-1 text-xs lg:inline">
      {name}
    </kbd>
  );
}
