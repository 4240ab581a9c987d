import { useState } from "react";
import { written } from "@/api/client";
import { ApiProblem } from "@/api/problem";
import { ClientFields } from "@/client_form/client_fields";
import {
  type ClientValues,
  changesOf,
  conflictsOf,
  FIELDS,
  type FieldName,
  merged,
  valuesOf,
} from "@/client_form/values";
import { text } from "@/text/client";
import { text as common } from "@/text/common";
import { Dialog } from "@/ui/dialog";
import { Form, useSubmit } from "@/ui/form";
import { tell } from "@/ui/toast";
import { ConflictDialog } from "./conflict_dialog";
import { changeClient, readClient, type TaggedClient } from "./queries";

interface Edit {
  /** The client as it was read, and the tag of that. */
  before: ClientValues;
  tag: string;
  values: ClientValues;
}

interface Conflict {
  fields: FieldName[];
  /** What is to be saved, but for those fields. */
  edit: Edit;
}

/** Change a client. What others have changed since it was read, the agent is asked about. */
export function EditDialog({ client, tag, onClose }: TaggedClient & { onClose(): void }) {
  const [edit, setEdit] = useState<Edit>(() => {
    const before = valuesOf(client);
    return { before, tag, values: before };
  });
  const [conflict, setConflict] = useState<Conflict>();

  const save = async (edit: Edit): Promise<boolean> => {
    const changes = changesOf(edit.before, edit.values);
    if (Object.keys(changes).length === 0) return true;
    try {
      await written(changeClient(client._id, changes, edit.tag));
      return true;
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.status !== 412) throw error;
    }
    const now = await readClient(client._id);
    const before = valuesOf(now.client);
    const next = { before, tag: now.tag, values: merged(edit.before, edit.values, before) };
    const fields = conflictsOf(edit.before, edit.values, before);
    // When it is nothing of the form that has changed, there is nothing to ask.
    if (fields.length === 0) return save(next);
    setConflict({ fields, edit: next });
    return false;
  };
  const onDone = (isSaved: boolean) => {
    if (!isSaved) return;
    tell(text.saved);
    onClose();
  };
  const submission = useSubmit(() => save(edit), { onDone });
  return (
    <>
      <Dialog title={text.editTitle(client.name)} isOpen onClose={onClose} width="wide">
        <Form submission={submission} label={common.save} onCancel={onClose} shown={FIELDS}>
          <ClientFields
            values={edit.values}
            onChange={(values) => setEdit({ ...edit, values })}
            errors={submission.fields}
          />
        </Form>
      </Dialog>
      {conflict && (
        <ConflictDialog
          key={conflict.edit.tag}
          fields={conflict.fields}
          yours={edit.values}
          theirs={conflict.edit.before}
          untouched={FIELDS.filter((field) => edit.values[field] === edit.before[field])}
          save={(chosen) =>
            save({ ...conflict.edit, values: { ...conflict.edit.values, ...chosen } })
          }
          onDone={onDone}
          onClose={() => setConflict(undefined)}
        />
      )}
    </>
  );
}
