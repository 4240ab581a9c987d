import { useAttention } from "@/api/queries";
import { Link, useNavigation } from "@/navigation";
import { text } from "@/text/shell";

export const PAGES = [
  ["/", text.today],
  ["/clients/", text.clients],
  ["/followups/", text.followups],
  ["/approve/", text.approve],
  ["/emails/", text.emails],
  ["/import/", text.import],
] as const;

/** Those of a phone: more do not fit, and the others are reached from these. */
const SMALL: ReadonlySet<string> = new Set([
  "/",
  "/clients/",
  "/followups/",
  "/approve/",
  "/emails/",
]);

/** The pages: beside the content, on small screens below it. */
export function NavigationBar() {
  const { path } = useNavigation();
  const toApprove = useLettersToApprove();
  return (
    <nav
      aria-label={text.navigation}
      className="fixed inset-x-0 bottom-0 z-30 border-t border-line bg-surface lg:static lg:border-0 lg:bg-transparent"
    >
      <ul className="flex justify-around lg:grid lg:justify-stretch lg:gap-1">
        {PAGES.map(([href, label]) => (
          <li key={href} className={SMALL.has(href) ? "" : "hidden lg:block"}>
            <Link
              href={href}
              aria-current={isWithin(path, href) ? "page" : undefined}
              className="flex min-h-12 items-center justify-between gap-1 rounded-box whitespace-nowrap px-1 text-xs text-soft hover:bg-sunken aria-[current=page]:font-semibold aria-[current=page]:text-accent sm:px-3 sm:text-sm lg:min-h-9 lg:aria-[current=page]:bg-accent-wash"
            >
              {label}
              {href === "/approve/" && toApprove > 0 && (
                <span className="rounded-full bg-accent px-1.5 text-xs text-accent-ink">
                  <span aria-hidden>{toApprove}</span>
                  <span className="sr-only">{text.waiting(toApprove)}</span>
                </span>
              )}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function isWithin(path: string, href: string): boolean {
  return path === href || (href === "/clients/" && path === "/client/");
}

function useLettersToApprove(): number {
  const kinds = useAttention().data?.kinds ?? [];
  return kinds
    .filter(({ kind }) => kind === "approve" || kind === "flagged")
    .reduce((sum, { count }) => sum + count, 0);
}
