import { Link, useNavigation, useQueryState } from "@/navigation";
import { text } from "@/text/clients";
import { Button, buttonClasses } from "@/ui/button";
import { Empty } from "@/ui/parts";
import type { ListState } from "./list_state";

/** Why no client is shown, and what to do next. */
export function NoClients({ state, total }: { state: ListState; total: number }) {
  const { path, go } = useNavigation();
  const [, change] = useQueryState();
  if (total > 0) {
    return (
      <Box title={text.pageGone} hint={text.pageGoneHint}>
        <Button onClick={() => change({ page: null })}>{text.firstPage}</Button>
      </Box>
    );
  }
  if (Object.keys(state.filter).length > 0) {
    return (
      <Box title={text.noMatches} hint={text.noMatchesHint}>
        <Button onClick={() => go(path)}>{text.clearFilters}</Button>
      </Box>
    );
  }
  return (
    <Box title={text.none} hint={text.noneHint}>
      <Link href="/clients/?new=1" className={buttonClasses("main")}>
        {text.newClient}
      </Link>
      <Link href="/import/" className={buttonClasses()}>
        {text.importThem}
      </Link>
    </Box>
  );
}

function Box({
  title,
  hint,
  children,
}: {
  title: string;
  hint: string;
  children: React.ReactNode;
}) {
  return (
    <div className="rounded-box border border-line bg-surface" role="status">
      <Empty title={title}>
        <p className="mb-3">{hint}</p>
        <div className="flex flex-wrap justify-center gap-2">{children}</div>
      </Empty>
    </div>
  );
}
