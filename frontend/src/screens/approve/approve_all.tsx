import { useState } from "react";
import { api, read, type Schemas } from "@/api/client";
import { text } from "@/text/approve";
import { text as common } from "@/text/common";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Form, useSubmit } from "@/ui/form";
import { Alert } from "@/ui/parts";
import { tell } from "@/ui/toast";
import { flushEdit } from "./edits";
import type { ListedDraft } from "./queries";

/** The API takes so many at once. */
const MOST = 100;

interface ApproveAllProps {
  drafts: readonly ListedDraft[];
  /** These are not asked for any more. */
  onDecided(ids: readonly string[]): void;
}

/** Approve all letters that are shown, each as it is shown, but for those not fit to send. */
export function ApproveAll({ drafts, ...rest }: ApproveAllProps) {
  const [chosen, setChosen] = useState<readonly ListedDraft[]>();
  const fit = drafts.filter(({ status }) => status === "waiting").slice(0, MOST);
  if (fit.length < 2 && !chosen) return null;
  return (
    <>
      <Button onClick={() => setChosen(drafts)}>{text.approveAll(fit.length)}</Button>
      {chosen && (
        <ApproveAllDialog drafts={chosen} onClose={() => setChosen(undefined)} {...rest} />
      )}
    </>
  );
}

function ApproveAllDialog({ drafts, onDecided, onClose }: ApproveAllProps & { onClose(): void }) {
  const [refused, setRefused] = useState<Schemas["ApprovedDrafts"]>();
  const fit = drafts.filter(({ status }) => status === "waiting").slice(0, MOST);
  const flagged = drafts.filter(({ status }) => status === "flagged").length;
  const submission = useSubmit(
    async (key) => {
      const versions = await Promise.all(
        fit.map(async ({ _id, version }) => {
          const saved = await flushEdit(_id);
          return { task_id: _id, version: saved?.draft.version ?? version };
        }),
      );
      return read(
        api.POST("/api/drafts/approve", {
          params: { header: { "Idempotency-Key": key } },
          body: { drafts: versions },
        }),
      );
    },
    {
      onDone: (result) => {
        onDecided(
          result.drafts
            .filter(({ outcome }) => outcome !== "refused")
            .map(({ task_id }) => task_id),
        );
        if (result.approved > 0) tell(text.approveAllDone(result.approved));
        if (result.refused + result.pending > 0) setRefused(result);
        else onClose();
      },
    },
  );
  if (refused) return <Report result={refused} drafts={fit} onClose={onClose} />;
  return (
    <Dialog title={text.approveAllTitle(fit.length)} isOpen onClose={onClose}>
      <Form submission={submission} label={text.approve} onCancel={onClose}>
        <p className="text-sm">{text.approveAllHint}</p>
        {flagged > 0 && <p className="text-sm">{text.exceptFlagged(flagged)}</p>}
      </Form>
    </Dialog>
  );
}

interface ReportProps extends Pick<ApproveAllProps, "drafts"> {
  result: Schemas["ApprovedDrafts"];
  onClose(): void;
}

/** Which letters were not approved, and why. */
function Report({ result, drafts, onClose }: ReportProps) {
  const nameOf = (id: string) => {
    const draft = drafts.find(({ _id }) => _id === id);
    return (draft && (draft.client_name ?? draft.to_email)) ?? id;
  };
  return (
    <Dialog title={text.approveAllDone(result.approved)} isOpen onClose={onClose}>
      <div className="grid gap-3 text-sm">
        {result.pending > 0 && <Alert tone="accent">{text.pending(result.pending)}</Alert>}
        {result.refused > 0 && (
          <Alert tone="warn">
            <p className="font-medium">{text.notApproved}</p>
            <ul className="list-disc pl-5">
              {result.drafts
                .filter(({ outcome }) => outcome === "refused")
                .map(({ task_id, reason }) => (
                  <li key={task_id}>
                    {nameOf(task_id)}: {reason}
                  </li>
                ))}
            </ul>
          </Alert>
        )}
        <Button className="justify-self-end" onClick={onClose}>
          {common.close}
        </Button>
      </div>
    </Dialog>
  );
}
