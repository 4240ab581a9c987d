import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiProblem, Unreachable } from "@/api/problem";
import { createAutosave, type Letter, type LetterText, RETRY_MS, SETTLE_MS } from "./autosave";

function letter(version: number, text: Partial<LetterText> = {}): Letter {
  const draft: Letter["draft"] = {
    _id: "1",
    agent_id: "2",
    client_id: "3",
    followup_type: "Day 1",
    step: null,
    scheduled_for: "2027-01-04T15:00:00Z",
    due: false,
    status: "waiting",
    version,
    written_by: null,
    written_at: null,
    approved_at: null,
    expires_at: null,
    to_email: null,
    subject: "Hello",
    body: "Hi Jane",
    language: "en",
    findings: [],
    ...text,
  };
  return { draft, tag: `"${version}"` };
}

const save = vi.fn<(text: LetterText, tag: string) => Promise<Letter>>();
const read = vi.fn<() => Promise<Letter>>();

beforeEach(() => {
  vi.useFakeTimers();
  save.mockReset().mockImplementation(async (text, tag) => letter(Number(tag.at(1)) + 1, text));
  read.mockReset();
});

afterEach(() => vi.useRealTimers());

const open = () => createAutosave(letter(1), { save, read });
const settle = () => vi.advanceTimersByTimeAsync(SETTLE_MS);

test("saves a while after the last keystroke, once", async () => {
  const { edit, type } = open();
  type({ body: "H" });
  await vi.advanceTimersByTimeAsync(SETTLE_MS / 2);
  type({ body: "Hi" });
  await vi.advanceTimersByTimeAsync(SETTLE_MS / 2);
  expect(save).not.toHaveBeenCalled();
  expect(edit.get().saving.kind).toBe("saving");
  await settle();
  expect(save.mock.calls).toEqual([[{ subject: "Hello", body: "Hi" }, '"1"']]);
  expect(edit.get()).toMatchObject({ saving: { kind: "saved" }, letter: { tag: '"2"' } });
});

test("flush saves what is typed while another save is under way, with that one's tag", async () => {
  const { type, flush, edit } = open();
  type({ body: "one" });
  const flushed = flush();
  type({ body: "two" });
  const { tag, draft } = await flushed;
  expect(save.mock.calls.map(([{ body }, tag]) => [body, tag])).toEqual([
    ["one", '"1"'],
    ["two", '"2"'],
  ]);
  expect([tag, draft.body, edit.get().typed.body]).toEqual(['"3"', "two", "two"]);
});

test("what the server does not take stays typed, with the reason", async () => {
  save.mockRejectedValue(new ApiProblem({ status: 422, detail: "body: is too short" }));
  const { edit, type, flush } = open();
  type({ body: "" });
  await settle();
  expect(edit.get()).toMatchObject({ typed: { body: "" }, saving: { kind: "failed" } });
  await expect(flush()).rejects.toThrow("too short");
});

test("a server that is away is asked again", async () => {
  save.mockRejectedValueOnce(new Unreachable());
  const { edit, type, isSaved } = open();
  type({ body: "Hi" });
  await settle();
  expect([edit.get().saving.kind, isSaved()]).toEqual(["failed", false]);
  await vi.advanceTimersByTimeAsync(RETRY_MS);
  expect([edit.get().saving.kind, isSaved()]).toEqual(["saved", true]);
});

const changed = () => new ApiProblem({ status: 412 });

test("a text that was changed elsewhere is shown, and mine kept until the agent chooses", async () => {
  save.mockRejectedValueOnce(changed());
  read.mockResolvedValue(letter(5, { body: "theirs" }));
  const { edit, type, flush, keepMine } = open();
  type({ body: "mine" });
  await settle();
  expect(edit.get()).toMatchObject({
    typed: { body: "mine" },
    saving: { kind: "changed", theirs: { tag: '"5"' } },
  });
  await expect(flush()).rejects.toThrow();
  keepMine();
  await settle();
  expect(save).toHaveBeenLastCalledWith({ subject: "Hello", body: "mine" }, '"5"');
  expect(edit.get()).toMatchObject({ letter: { draft: { body: "mine" } } });
});

test("the other text can be taken instead", async () => {
  save.mockRejectedValueOnce(changed());
  read.mockResolvedValue(letter(5, { body: "theirs" }));
  const { edit, type, takeTheirs, isSaved } = open();
  type({ body: "mine" });
  await settle();
  takeTheirs();
  expect([edit.get().typed.body, isSaved()]).toEqual(["theirs", true]);
});

test("when only its date has changed, the text is saved", async () => {
  save.mockRejectedValueOnce(changed());
  read.mockResolvedValue(letter(5));
  const { edit, type } = open();
  type({ body: "mine" });
  await settle();
  expect(save).toHaveBeenLastCalledWith({ subject: "Hello", body: "mine" }, '"5"');
  expect(edit.get().saving.kind).toBe("saved");
});

test("a save whose answer was lost is found done", async () => {
  save.mockRejectedValueOnce(changed());
  read.mockResolvedValue(letter(2, { body: "mine" }));
  const { edit, type } = open();
  type({ body: "mine" });
  await settle();
  expect(save).toHaveBeenCalledTimes(1);
  expect(edit.get()).toMatchObject({ saving: { kind: "saved" }, letter: { tag: '"2"' } });
});

test("a newer letter is taken over, an older one or one over unsaved text is not", async () => {
  const { edit, type, adopt } = open();
  adopt(letter(3, { body: "newer" }));
  expect(edit.get().typed.body).toBe("newer");
  adopt(letter(2, { body: "older" }));
  expect(edit.get().typed.body).toBe("newer");
  type({ body: "mine" });
  adopt(letter(4, { body: "newest" }));
  expect(edit.get().typed.body).toBe("mine");
});
