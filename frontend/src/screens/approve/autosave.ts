import type { Schemas } from "@/api/client";
import { ApiProblem, Unreachable } from "@/api/problem";
import { createStore, type Store } from "@/store";
import { text as words } from "@/text/approve";

/** A letter as the server has it, with the ETag that it was read with. */
export interface Letter {
  draft: Schemas["DraftView"];
  tag: string;
}

export interface LetterText {
  subject: string;
  body: string;
}

export type Saving =
  | { kind: "saved" }
  | { kind: "saving" }
  | { kind: "failed"; error: unknown }
  /** Somebody else has changed the text meanwhile: the agent chooses. */
  | { kind: "changed"; theirs: Letter };

export interface Edit {
  typed: LetterText;
  letter: Letter;
  saving: Saving;
}

interface Server {
  save(text: LetterText, tag: string): Promise<Letter>;
  read(): Promise<Letter>;
}

export interface Autosave {
  edit: Store<Edit>;
  type(text: Partial<LetterText>): void;
  /** Save all that is typed, now; return the letter as it is then. Rejects with why it is not. */
  flush(): Promise<Letter>;
  isSaved(): boolean;
  /** Take over a newer letter of the server, unless something typed is not saved. */
  adopt(letter: Letter): void;
  keepMine(): void;
  takeTheirs(): void;
}

/** Saves so long after the last keystroke, and tries again so long after a failure. */
export const SETTLE_MS = 1000;
export const RETRY_MS = 5000;

export function textOf({ draft }: Letter): LetterText {
  return { subject: draft.subject ?? "", body: draft.body ?? "" };
}

export function isSame(one: LetterText, other: LetterText): boolean {
  return one.subject === other.subject && one.body === other.body;
}

/** Hold what is typed into a letter until the server has it. */
export function createAutosave(letter: Letter, server: Server): Autosave {
  const edit = createStore<Edit>({ typed: textOf(letter), letter, saving: { kind: "saved" } });
  /** What was typed when the server last took it; it may store it without spaces at the end. */
  let saved = textOf(letter);
  let running: Promise<void> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const put = (changes: Partial<Edit>) => edit.set({ ...edit.get(), ...changes });
  const isSaved = () => isSame(edit.get().typed, saved);
  const saveIn = (delay: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => void save().catch(() => undefined), delay);
  };
  const taken = (text: LetterText, next: Letter) => {
    saved = text;
    put({ letter: next, saving: { kind: isSaved() ? "saved" : "saving" } });
  };

  /** Whether it may be tried again with what has changed, when that is not the text. */
  const isOnlyOlder = async (text: LetterText): Promise<boolean> => {
    const theirs = await server.read();
    if (isSame(textOf(theirs), text)) {
      taken(text, theirs);
      return false;
    }
    if (!isSame(textOf(theirs), textOf(edit.get().letter))) {
      put({ saving: { kind: "changed", theirs } });
      throw new ApiProblem({ status: 412, detail: words.conflict });
    }
    put({ letter: theirs });
    return true;
  };

  const saveOnce = async () => {
    const { typed, letter: base, saving } = edit.get();
    if (saving.kind === "changed") throw new ApiProblem({ status: 412, detail: words.conflict });
    if (isSaved()) return;
    put({ saving: { kind: "saving" } });
    try {
      try {
        taken(typed, await server.save(typed, base.tag));
      } catch (error) {
        if (!isRefusedAs(412, error)) throw error;
        if (await isOnlyOlder(typed)) {
          taken(typed, await server.save(typed, edit.get().letter.tag));
        }
      }
    } catch (error) {
      if (edit.get().saving.kind !== "changed") {
        put({ saving: { kind: "failed", error } });
        if (mayPass(error)) saveIn(RETRY_MS);
      }
      throw error;
    }
  };

  const save = (): Promise<void> => {
    clearTimeout(timer);
    running ??= saveOnce().finally(() => {
      running = undefined;
    });
    return running;
  };

  return {
    edit,
    isSaved,
    type(text) {
      put({ typed: { ...edit.get().typed, ...text } });
      if (edit.get().saving.kind === "changed") return;
      put({ saving: { kind: isSaved() && !running ? "saved" : "saving" } });
      saveIn(SETTLE_MS);
    },
    async flush() {
      do await save();
      while (!isSaved());
      return edit.get().letter;
    },
    adopt(next) {
      const { letter: known } = edit.get();
      if (running || !isSaved() || next.tag === known.tag) return;
      if (next.draft.version < known.draft.version) return;
      saved = textOf(next);
      put({ typed: saved, letter: next });
    },
    keepMine() {
      const { saving } = edit.get();
      if (saving.kind !== "changed") return;
      put({ letter: saving.theirs, saving: { kind: "saving" } });
      saveIn(0);
    },
    takeTheirs() {
      const { saving } = edit.get();
      if (saving.kind !== "changed") return;
      saved = textOf(saving.theirs);
      put({ typed: saved, letter: saving.theirs, saving: { kind: "saved" } });
    },
  };
}

function isRefusedAs(status: number, error: unknown): boolean {
  return error instanceof ApiProblem && error.status === status;
}

/** Whether the same may be taken later. */
function mayPass(error: unknown): boolean {
  if (error instanceof Unreachable) return true;
  return error instanceof ApiProblem && (error.status >= 500 || [412, 429].includes(error.status));
}
