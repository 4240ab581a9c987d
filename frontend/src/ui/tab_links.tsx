import { Link, useNavigation } from "@/navigation";

interface TabLinksProps<T extends string> {
  label: string;
  /** Each tab's name in the address, and its words; the first one is shown without a name. */
  tabs: readonly (readonly [tab: T, words: string])[];
  current: T;
}

/** Links to the parts of a screen, which `?tab=` names. */
export function TabLinks<T extends string>({ label, tabs, current }: TabLinksProps<T>) {
  const { path } = useNavigation();
  return (
    <nav aria-label={label} className="mb-4 border-b border-line">
      <ul className="-mb-px flex flex-wrap gap-x-1">
        {tabs.map(([tab, words], index) => (
          <li key={tab}>
            <Link
              href={index === 0 ? path : `${path}?tab=${tab}`}
              aria-current={tab === current ? "page" : undefined}
              className="flex min-h-10 items-center border-b-2 border-transparent px-3 text-sm text-soft hover:text-ink aria-[current=page]:border-accent aria-[current=page]:font-semibold aria-[current=page]:text-accent"
            >
              {words}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Return the tab that the address names; the first one where it names none. */
export function useTab<T extends string>(
  tabs: readonly [readonly [T, string], ...(readonly [T, string])[]],
): T {
  const { query } = useNavigation();
  return (tabs.find(([tab]) => tab === query.get("tab")) ?? tabs[0])[0];
}
