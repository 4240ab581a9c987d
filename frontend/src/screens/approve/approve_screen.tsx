import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useQueryState } from "@/navigation";
import { useShortcut } from "@/shell/shortcuts";
import { text } from "@/text/approve";
import { buttonClasses } from "@/ui/button";
import { Loaded } from "@/ui/loaded";
import { MoreButton } from "@/ui/more_button";
import { Empty, PageHead, Skeleton } from "@/ui/parts";
import { useMedia } from "@/ui/use_media";
import { ApproveAll } from "./approve_all";
import { LetterList } from "./letter_list";
import { LetterPane } from "./letter_pane";
import { neighbour, successor } from "./order";
import { letterKey, useLetters } from "./queries";

/** The letters that wait for the agent, one after the other; `?task=` opens one of them. */
export default function ApproveScreen() {
  const [query, change] = useQueryState();
  const client = useQueryClient();
  const letters = useLetters();
  const isWide = useMedia("(min-width: 64rem)");
  const [decided, setDecided] = useState<ReadonlySet<string>>(new Set());
  const pages = letters.data?.pages ?? [];
  const drafts = pages.flatMap(({ rows }) => rows).filter(({ _id }) => !decided.has(_id));
  const total = Math.max((pages[0]?.total ?? 0) - hiddenOf(pages, decided), drafts.length);
  const ids = drafts.map(({ _id }) => _id);
  const asked = query.get("task");
  const shown = asked ?? (isWide ? ids[0] : undefined) ?? null;
  const show = (id: string | undefined) => change({ task: id ?? null }, { replace: true });
  const move = (step: 1 | -1) => {
    const to = neighbour(ids, shown, step);
    if (to) show(to);
  };
  useShortcut("j", () => move(1));
  useShortcut("k", () => move(-1));
  const onDecided = (decisions: readonly string[]) => {
    setDecided((before) => new Set([...before, ...decisions]));
    for (const id of decisions) client.removeQueries({ queryKey: letterKey(id) });
    if (shown && decisions.includes(shown)) {
      const rest = ids.filter((id) => id === shown || !decisions.includes(id));
      show(successor(rest, shown));
    }
  };
  return (
    <>
      <PageHead title={text.title}>
        <ApproveAll drafts={drafts} onDecided={onDecided} />
      </PageHead>
      <Loaded query={letters} skeleton={<Skeleton className="h-[60dvh]" />}>
        {() => (
          <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-[17rem_minmax(0,1fr)]">
            {(isWide || !asked) && drafts.length > 0 && (
              <div>
                <LetterList drafts={drafts} total={total} shown={shown} />
                <MoreButton query={letters} of={text.letters} />
              </div>
            )}
            {shown ? (
              <LetterPane
                key={shown}
                id={shown}
                position={{ index: ids.indexOf(shown), count: total }}
                isDecided={decided.has(shown)}
                onDecided={() => onDecided([shown])}
              />
            ) : (
              drafts.length === 0 && <NoLetters />
            )}
          </div>
        )}
      </Loaded>
    </>
  );
}

function hiddenOf(pages: { rows: { _id: string }[] }[], decided: ReadonlySet<string>): number {
  return pages.flatMap(({ rows }) => rows).filter(({ _id }) => decided.has(_id)).length;
}

function NoLetters() {
  return (
    <div role="status" className="rounded-box border border-line bg-surface py-6 lg:col-span-2">
      <Empty title={text.none}>
        <p className="mb-3">{text.noneHint}</p>
        <Link href="/settings/" className={buttonClasses()}>
          {text.reviewMode}
        </Link>
      </Empty>
    </div>
  );
}
