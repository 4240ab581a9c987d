import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { ApiProblem } from "@/api/problem";
import { Link } from "@/navigation";
import { text } from "@/text/approve";
import { Loaded } from "@/ui/loaded";
import { Alert, Empty, Skeleton } from "@/ui/parts";
import { type Autosave, isSame, type Letter, textOf } from "./autosave";
import { Editor } from "./editor";
import { beginEdit, dropEdit, endEdit, keepEdit, unsavedEdit } from "./edits";
import { Findings } from "./findings";
import { LetterActions } from "./letter_actions";
import { LetterHead } from "./letter_head";
import { Preview } from "./preview";
import { useLetter } from "./queries";

interface PaneProps {
  id: string;
  /** Where the letter stands among those that wait; its index is -1 when it does not. */
  position: { index: number; count: number };
  isDecided: boolean;
  onDecided(): void;
}

/** One letter, as the server has it now, and what can be done with it. */
export function LetterPane({ id, isDecided, ...rest }: PaneProps) {
  const [isDeciding, setDeciding] = useState(false);
  const query = useLetter(id, { isDecided: isDecided || isDeciding });
  const isGone = query.error instanceof ApiProblem && query.error.status === 404;
  return (
    <section aria-label={text.preview} className="grid min-w-0 grid-cols-1 gap-3">
      <Link href="/approve/" className="min-h-6 text-sm text-accent lg:hidden">
        <span aria-hidden>← </span>
        {text.allLetters}
      </Link>
      {isGone || isDecided ? (
        <div className="rounded-box border border-line bg-surface">
          <Empty title={text.gone}>{text.goneHint}</Empty>
        </div>
      ) : (
        <Loaded query={query} skeleton={<Skeleton className="h-[60dvh]" />}>
          {(letter) => (
            <Shown letter={letter} isDeciding={isDeciding} onDeciding={setDeciding} {...rest} />
          )}
        </Loaded>
      )}
    </section>
  );
}

interface ShownProps extends Pick<PaneProps, "position" | "onDecided"> {
  letter: Letter;
  isDeciding: boolean;
  onDeciding(isDeciding: boolean): void;
}

function Shown({ letter, position, isDeciding, onDecided, onDeciding }: ShownProps) {
  const client = useQueryClient();
  const { draft } = letter;
  const [edit, setEdit] = useState<Autosave | undefined>(() => unsavedEdit(draft._id));
  /** The letter as the agent knows it: as it was first shown, or as they have changed it. */
  const [known, setKnown] = useState(letter);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  useEffect(() => edit?.adopt(letter), [edit, letter]);
  // What is typed is saved when it is left, and kept until it is.
  useEffect(() => {
    keepEdit(draft._id);
    return () => void endEdit(draft._id).catch(() => undefined);
  }, [draft._id]);
  const isWaiting = known.draft.subject === null;
  const hasChanged = !edit && !isWaiting && !isSame(textOf(known), textOf(letter));
  const closeEdit = async () => {
    const saved = await endEdit(draft._id);
    if (saved) setKnown(saved);
    setEdit(undefined);
  };
  return (
    <div className="grid min-w-0 grid-cols-1 gap-3">
      <LetterHead draft={draft} position={position} heading={heading} />
      <LetterActions
        letter={letter}
        edit={edit}
        onEdit={() => setEdit(beginEdit(client, letter))}
        onDecided={() => {
          dropEdit(draft._id);
          onDecided();
        }}
        onDeciding={onDeciding}
        onRewritten={() => {
          dropEdit(draft._id);
          setEdit(undefined);
          setKnown({ ...letter, draft: { ...draft, subject: null } });
        }}
      />
      {hasChanged && (
        <Alert tone="warn">
          <div className="flex flex-wrap items-center justify-between gap-2">
            {text.changed}
            <button
              type="button"
              className="min-h-6 font-medium underline"
              onClick={() => setKnown(letter)}
            >
              {text.changedSeen}
            </button>
          </div>
        </Alert>
      )}
      <Findings findings={draft.findings} />
      {edit ? (
        <Editor
          edit={edit}
          isLocked={isDeciding}
          onEnd={() => void closeEdit().catch(() => undefined)}
        />
      ) : (
        <Preview draft={draft} />
      )}
    </div>
  );
}
