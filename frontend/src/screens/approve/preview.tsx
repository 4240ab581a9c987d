import { useState } from "react";
import { useAgent } from "@/shell/me";
import { text } from "@/text/approve";
import { Alert, Empty } from "@/ui/parts";
import { marked } from "./marked";
import type { Draft } from "./queries";

const WIDTHS = { narrow: ["375 px", "w-[375px]"], wide: ["600 px", "w-[600px]"] } as const;

/** The letter as an email program shows it, on a phone or a computer. */
export function Preview({ draft }: { draft: Draft }) {
  const [width, setWidth] = useState<keyof typeof WIDTHS>("wide");
  const { subject, body, status } = draft;
  if (subject === null || body === null) {
    return (
      <div role="status" className="rounded-box border border-line bg-surface">
        <Empty title={status === "failed" ? text.failed : text.writing}>
          {status === "failed" ? text.failedHint : text.writingHint}
        </Empty>
      </div>
    );
  }
  return (
    <>
      {status === "approved" && <Alert tone="good">{text.approvedHint}</Alert>}
      <fieldset className="flex flex-wrap items-center gap-2">
        <legend className="sr-only">{text.preview}</legend>
        {(["wide", "narrow"] as const).map((each) => (
          <button
            key={each}
            type="button"
            aria-pressed={width === each}
            onClick={() => setWidth(each)}
            className="min-h-7 rounded-full border border-edge px-3 text-xs hover:bg-sunken aria-pressed:border-accent aria-pressed:bg-accent-wash aria-pressed:font-medium aria-pressed:text-accent"
          >
            {text.widths[each]}, {WIDTHS[each][0]}
          </button>
        ))}
      </fieldset>
      <article
        className={`max-w-full overflow-hidden rounded-box border border-line bg-surface ${WIDTHS[width][1]}`}
      >
        <LetterHeader draft={draft} />
        <div
          lang={draft.language ?? undefined}
          className="px-4 py-4 whitespace-pre-wrap [overflow-wrap:anywhere]"
        >
          <Marked words={body} draft={draft} />
        </div>
        <p className="border-t border-line px-4 py-2 text-xs text-soft">{text.ending}</p>
      </article>
    </>
  );
}

function LetterHeader({ draft }: { draft: Draft }) {
  const { name, email } = useAgent();
  return (
    <header className="grid gap-1 border-b border-line bg-sunken px-4 py-3 text-sm [overflow-wrap:anywhere]">
      <h3 lang={draft.language ?? undefined} className="text-base font-semibold">
        <Marked words={draft.subject ?? ""} draft={draft} />
      </h3>
      <p>
        <span className="text-soft">{text.from}</span> {name}, {email}
      </p>
      <p>
        <span className="text-soft">{text.to}</span> {draft.to_email}
      </p>
    </header>
  );
}

/** The words; what they are not fit to send for is marked. */
function Marked({ words, draft }: { words: string; draft: Draft }) {
  let at = 0;
  return marked(
    words,
    draft.findings.map(({ excerpt }) => excerpt),
  ).map(({ text: part, isMarked }) => {
    at += part.length;
    return isMarked ? (
      <mark key={at} className="bg-warn-wash font-medium text-warn underline decoration-wavy">
        {part}
      </mark>
    ) : (
      part
    );
  });
}
