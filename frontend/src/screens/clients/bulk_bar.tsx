import { text } from "@/text/clients";
import { Button } from "@/ui/button";
import { Menu, MenuItem } from "@/ui/menu";
import { type BulkChoice, type BulkKind, MOST_CHANGED } from "./bulk";
import type { ListProps } from "./client_list";
import { isExact } from "./list_state";

const KINDS: readonly BulkKind[] = ["stage", "pause", "resume", "plan"];

interface BulkBarProps extends ListProps {
  onChoose(choice: BulkChoice): void;
}

/** How many are chosen, the way to choose all that match, and what can be done with them. */
export function BulkBar({ state: { filter }, page, selecting, onChoose }: BulkBarProps) {
  const { selection } = selecting;
  const isAll = "all" in selection;
  const count = isAll ? page.total : selection.ids.size;
  if (count === 0) return null;
  const isMore = page.total > page.rows.length;
  const offersAll = !isAll && isMore && page.rows.every(({ _id }) => selecting.isChosen(_id));
  const isPossible = page.total <= MOST_CHANGED && isExact(filter, page.total);
  return (
    <div className="sticky top-2 z-10 flex flex-wrap items-center gap-2 rounded-box border border-accent bg-accent-wash px-3 py-2 text-sm">
      <p role="status" className="mr-auto font-medium">
        {text.chosen(count.toLocaleString("en"))}
      </p>
      {offersAll && isPossible && (
        <Button look="quiet" onClick={selecting.chooseAll}>
          {text.chooseAll(page.total.toLocaleString("en"))}
        </Button>
      )}
      {offersAll && !isPossible && <p className="text-soft">{text.tooMany}</p>}
      <Menu label={text.bulk}>
        {KINDS.map((kind) => (
          <MenuItem key={kind} onChoose={() => onChoose({ kind, selection, filter, count })}>
            {text.bulkActions[kind]}
          </MenuItem>
        ))}
      </Menu>
      <Button look="quiet" onClick={selecting.clear}>
        {text.clearChoice}
      </Button>
    </div>
  );
}
