import { useRef } from "react";
import { ApiProblem, reasonOf } from "@/api/problem";
import { useStore } from "@/store";
import { text } from "@/text/approve";
import { Button } from "@/ui/button";
import { TextArea, TextField } from "@/ui/field";
import { Alert } from "@/ui/parts";
import type { Autosave, Letter, Saving } from "./autosave";

interface EditorProps {
  edit: Autosave;
  /** The letter is being decided: nothing more can be typed. */
  isLocked: boolean;
  onEnd(): void;
}

/** The letter's subject and text, saved while they are typed. Escape ends it. */
export function Editor({ edit, isLocked, onEnd }: EditorProps) {
  const { typed, letter, saving } = useStore(edit.edit);
  const error = saving.kind === "failed" ? saving.error : undefined;
  const fields = error instanceof ApiProblem ? error.fields : undefined;
  const language = letter.draft.language ?? undefined;
  const form = useRef<HTMLFormElement>(null);
  const save = () => void edit.flush().catch(() => undefined);
  return (
    <form
      ref={form}
      aria-label={text.editing}
      className="grid gap-3 rounded-box border border-accent bg-surface p-4"
      onSubmit={(event) => {
        event.preventDefault();
        onEnd();
      }}
      onKeyDown={({ key }) => key === "Escape" && onEnd()}
    >
      {saving.kind === "changed" && (
        <Conflict
          edit={edit}
          theirs={saving.theirs}
          onChosen={() => form.current?.querySelector("textarea")?.focus()}
        />
      )}
      <TextField
        label={text.subject}
        lang={language}
        value={typed.subject}
        readOnly={isLocked}
        maxLength={200}
        error={fields?.get("subject")}
        onChange={({ target }) => edit.type({ subject: target.value })}
        onBlur={save}
      />
      <TextArea
        label={text.body}
        lang={language}
        autoFocus
        rows={16}
        value={typed.body}
        readOnly={isLocked}
        maxLength={20_000}
        error={fields?.get("body")}
        onChange={({ target }) => edit.type({ body: target.value })}
        onBlur={save}
      />
      <div className="flex flex-wrap items-center justify-between gap-2">
        <p role="status" className={`text-sm ${error ? "text-bad" : "text-soft"}`}>
          {wordsOf(saving)}
        </p>
        <Button type="submit">{text.endEdit}</Button>
      </div>
    </form>
  );
}

function wordsOf(saving: Saving): string {
  if (saving.kind === "failed") return text.notSaved(reasonOf(saving.error, text.away));
  if (saving.kind === "changed") return text.notSaved(text.conflict);
  return saving.kind === "saved" ? text.saved : text.saving;
}

interface ConflictProps {
  edit: Autosave;
  theirs: Letter;
  onChosen(): void;
}

function Conflict({ edit, theirs, onChosen }: ConflictProps) {
  const choose = (act: () => void) => () => {
    act();
    onChosen();
  };
  return (
    <Alert tone="warn">
      <div className="grid gap-2">
        <p className="font-medium">{text.conflict}</p>
        <section aria-label={text.theirs} className="rounded-box bg-surface p-3 text-ink">
          <p className="text-xs text-soft">{text.theirs}</p>
          <p className="font-medium [overflow-wrap:anywhere]">{theirs.draft.subject}</p>
          <p className="max-h-60 overflow-y-auto whitespace-pre-wrap [overflow-wrap:anywhere]">
            {theirs.draft.body}
          </p>
        </section>
        <div className="flex flex-wrap gap-2">
          <Button look="main" onClick={choose(edit.keepMine)}>
            {text.keepMine}
          </Button>
          <Button onClick={choose(edit.takeTheirs)}>{text.takeTheirs}</Button>
        </div>
      </div>
    </Alert>
  );
}
