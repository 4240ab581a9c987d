import { useQueryState } from "@/navigation";
import { text } from "@/text/common";
import { Button } from "./button";

interface PagerProps {
  /** Rows on a page, and on all pages together. */
  limit: number;
  total: number;
  /** The total in words, where it is not exact. */
  totalWords?: string;
  hasNext?: boolean;
  page: number;
  onPage(page: number): void;
}

/** Which rows of how many these are, and the ways to the others; nothing where all are shown. */
export function Pager({ limit, total, totalWords, hasNext, page, onPage }: PagerProps) {
  if (total <= limit && page === 1) return null;
  const last = Math.max(1, Math.ceil(total / limit));
  const from = Math.min(total, (page - 1) * limit + 1);
  return (
    <nav aria-label={text.pages} className="mt-3 flex flex-wrap items-center justify-end gap-3">
      <p className="text-sm text-soft tabular-nums">
        {text.rows(from, Math.min(total, page * limit), totalWords ?? total.toLocaleString("en"))}
      </p>
      <Button disabled={page <= 1} onClick={() => onPage(page - 1)}>
        {text.previous}
      </Button>
      <Button disabled={!(hasNext ?? page < last)} onClick={() => onPage(page + 1)}>
        {text.next}
      </Button>
    </nav>
  );
}

/** Return the page that the address names, from 1, and what goes to another. */
export function usePage(): [page: number, go: (page: number) => void] {
  const [query, change] = useQueryState();
  const page = Math.max(1, Math.trunc(Number(query.get("page"))) || 1);
  return [page, (to) => change({ page: to === 1 ? null : String(to) })];
}
