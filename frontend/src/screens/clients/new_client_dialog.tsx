import { useState } from "react";
import { api, written } from "@/api/client";
import { ApiProblem } from "@/api/problem";
import { ClientFields } from "@/client_form/client_fields";
import { SequenceSelect } from "@/client_form/sequence_select";
import { FIELDS, NO_VALUES, newClientOf } from "@/client_form/values";
import { clientPage, useNavigation } from "@/navigation";
import { text } from "@/text/clients";
import { Dialog } from "@/ui/dialog";
import { Form, useSubmit } from "@/ui/form";
import { Alert } from "@/ui/parts";
import { tell } from "@/ui/toast";

const SHOWN = [...FIELDS, "sequence"];

/** Add a client; then its page shows what is planned. */
export function NewClientDialog({ onClose }: { onClose(): void }) {
  const { go } = useNavigation();
  const [values, setValues] = useState(NO_VALUES);
  const [sequence, setSequence] = useState("");
  const submission = useSubmit(
    (key) =>
      written(
        api.POST("/api/clients", {
          params: { header: { "Idempotency-Key": key } },
          body: { ...newClientOf(values), ...(sequence && { sequence }) },
        }),
      ),
    {
      onDone: (created) => {
        tell(text.created(values.name));
        onClose();
        if (created) go(clientPage(created.client_id));
      },
    },
  );
  const { error, fields } = submission;
  const duplicate = error instanceof ApiProblem ? error.clientId : undefined;
  return (
    <Dialog title={text.newClient} isOpen onClose={onClose} width="wide">
      <Form submission={submission} label={text.create} onCancel={onClose} shown={SHOWN}>
        {duplicate && (
          <Alert>
            {text.duplicate} {/* Beside the form, in which nothing typed is lost. */}
            <a
              href={clientPage(duplicate)}
              target="_blank"
              rel="noopener"
              className="font-medium underline"
            >
              {text.openDuplicate}
            </a>
          </Alert>
        )}
        <ClientFields values={values} onChange={setValues} errors={fields} />
        {values.stage !== "lost" && (
          <SequenceSelect
            stage={values.stage}
            value={sequence}
            onChange={setSequence}
            error={fields.get("sequence")}
          />
        )}
      </Form>
    </Dialog>
  );
}
