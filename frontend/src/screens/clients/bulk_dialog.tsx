import { useState } from "react";
import type { Schemas } from "@/api/client";
import { SequenceSelect } from "@/client_form/sequence_select";
import { text } from "@/text/clients";
import { names } from "@/text/common";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Select } from "@/ui/field";
import { Form, useSubmit } from "@/ui/form";
import { type BulkAction, type BulkChoice, type BulkKind, changeMany } from "./bulk";
import { BulkReport } from "./bulk_report";

/** What the API calls the sequence in its errors. */
const SEQUENCE = "action.plan.sequence";

interface BulkDialogProps {
  choice: BulkChoice;
  onClose(): void;
  /** It was carried out, and read what became of each. */
  onDone(): void;
}

/** Ask before many clients are changed; then tell what became of each. */
export function BulkDialog({ choice, onClose, onDone }: BulkDialogProps) {
  const { kind, count } = choice;
  const [stage, setStage] = useState<Schemas["Stage"]>("negotiating");
  const [sequence, setSequence] = useState("");
  const [report, setReport] = useState<Schemas["BulkReport"]>();
  const submission = useSubmit((key) => changeMany(choice, actionOf(kind, stage, sequence), key), {
    onDone: setReport,
  });
  if (report) {
    return (
      <Dialog key="report" title={text.reportTitle} isOpen onClose={onDone}>
        <BulkReport report={report} />
        <div className="mt-4 text-right">
          <Button look="main" onClick={onDone}>
            {text.close}
          </Button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title={text.bulkTitle[kind](text.clients(count))} isOpen onClose={onClose}>
      <Form
        submission={submission}
        label={text.bulkActions[kind]}
        onCancel={onClose}
        shown={[SEQUENCE]}
      >
        {kind === "stage" && (
          <Select
            label={text.stage}
            options={Object.entries(names.stage)}
            value={stage}
            onChange={({ target }) => setStage(target.value as Schemas["Stage"])}
          />
        )}
        {kind === "plan" && (
          <SequenceSelect
            value={sequence}
            onChange={setSequence}
            error={submission.fields.get(SEQUENCE)}
          />
        )}
        <p className="text-sm">{text.bulkHint[kind]}</p>
      </Form>
    </Dialog>
  );
}

function actionOf(kind: BulkKind, stage: Schemas["Stage"], sequence: string): BulkAction {
  if (kind === "stage") return { kind, stage };
  if (kind === "plan") return { kind, sequence: sequence || null };
  return { kind };
}
