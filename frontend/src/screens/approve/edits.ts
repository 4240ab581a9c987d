import type { QueryClient } from "@tanstack/react-query";
import { type Autosave, createAutosave, type Letter } from "./autosave";
import { letterKey, readLetter, saveLetter } from "./queries";

/**
 * The letters that are being edited. They live here, not in what is shown, so that what was typed
 * outlasts going to another letter or page until the server has it.
 */
const edits = new Map<string, { edit: Autosave; isShown: boolean }>();

/** Begin to edit the letter. */
export function beginEdit(client: QueryClient, letter: Letter): Autosave {
  const id = letter.draft._id;
  if (edits.size === 0) {
    window.addEventListener("beforeunload", keepPage);
    document.addEventListener("visibilitychange", saveWhenHidden);
  }
  const edit = createAutosave(letter, {
    save: async (text, tag) => {
      const saved = await saveLetter(id, text, tag);
      client.setQueryData(letterKey(id), saved);
      return saved;
    },
    read: () => readLetter(id),
  });
  edits.set(id, { edit, isShown: true });
  return edit;
}

/** Return the edit of the letter, if something typed is not saved yet. */
export function unsavedEdit(id: string): Autosave | undefined {
  const edit = edits.get(id)?.edit;
  return edit?.isSaved() ? undefined : edit;
}

/** Save what is typed into the letter; return it as it is then, undefined if it is not edited. */
export async function flushEdit(id: string): Promise<Letter | undefined> {
  return edits.get(id)?.edit.flush();
}

/** The letter is shown again: an edit that is being ended goes on. */
export function keepEdit(id: string): void {
  const known = edits.get(id);
  if (known) known.isShown = true;
}

/** Save what is typed, and end the edit once the server has it. Rejects with why it has not. */
export async function endEdit(id: string): Promise<Letter | undefined> {
  const known = edits.get(id);
  if (!known) return undefined;
  known.isShown = false;
  const letter = await known.edit.flush();
  if (!known.isShown) dropEdit(id);
  return letter;
}

/** End the edit, whatever was typed. */
export function dropEdit(id: string): void {
  edits.delete(id);
  if (edits.size > 0) return;
  window.removeEventListener("beforeunload", keepPage);
  document.removeEventListener("visibilitychange", saveWhenHidden);
}

function keepPage(event: BeforeUnloadEvent): void {
  if ([...edits.values()].every(({ edit }) => edit.isSaved())) return;
  saveAll();
  event.preventDefault();
}

function saveWhenHidden(): void {
  if (document.hidden) saveAll();
}

function saveAll(): void {
  for (const { edit } of edits.values()) void edit.flush().catch(() => undefined);
}
