import { Link, useNavigation } from "@/navigation";
import { text } from "@/text/followups";
import type { View } from "./list_state";

const VIEWS = ["table", "month", "week"] as const;

/** The ways to see the follow-ups, under the same filters but for days and page. */
export function ViewLinks({ view }: { view: View }) {
  const { path, query } = useNavigation();
  const hrefOf = (to: View) => {
    const next = new URLSearchParams(query);
    for (const name of ["view", "page", "from", "until"]) next.delete(name);
    if (to === "table") next.delete("day");
    else next.set("view", to);
    return next.size > 0 ? `${path}?${next}` : path;
  };
  return (
    <nav aria-label={text.views}>
      <ul className="flex rounded-box border border-edge bg-surface p-0.5">
        {VIEWS.map((each) => (
          <li key={each}>
            <Link
              href={hrefOf(each)}
              aria-current={each === view ? "page" : undefined}
              className="flex min-h-8 items-center rounded-lg px-3 text-sm hover:bg-sunken aria-[current=page]:bg-accent aria-[current=page]:font-medium aria-[current=page]:text-accent-ink"
            >
              {text.view[each]}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
