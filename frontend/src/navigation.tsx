import { type AnchorHTMLAttributes, createContext, type MouseEvent, useContext } from "react";

/** Where the agent is, and how to go elsewhere without loading the page anew. */
export interface Navigation {
  path: string;
  query: URLSearchParams;
  go(href: string, options?: { replace?: boolean }): void;
}

const Context = createContext<Navigation | null>(null);

export const NavigationProvider = Context.Provider;

export function useNavigation(): Navigation {
  const navigation = useContext(Context);
  if (!navigation) throw new Error("there is no NavigationProvider above");
  return navigation;
}

/** Return the query of the address, and what changes some of it; null takes a parameter away. */
export function useQueryState() {
  const { path, query, go } = useNavigation();
  const change = (
    changes: Record<string, string | readonly string[] | null>,
    options: { replace?: boolean } = {},
  ) => {
    const next = new URLSearchParams(query);
    for (const [name, value] of Object.entries(changes)) {
      next.delete(name);
      for (const each of typeof value === "string" ? [value] : (value ?? [])) {
        next.append(name, each);
      }
    }
    go(next.size ? `${path}?${next}` : path, options);
  };
  return [query, change] as const;
}

/** A link within the dashboard. What it leads to is loaded when it is followed, not before. */
export function Link({
  href,
  onClick,
  ...rest
}: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  const { go } = useNavigation();
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    const isPlain = !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    if (event.defaultPrevented || event.button !== 0 || !isPlain || rest.target) return;
    event.preventDefault();
    go(href);
  };
  return <a href={href} onClick={follow} {...rest} />;
}

/** The address of a client's page. */
export function clientPage(clientId: string): string {
  return `/client/?id=${clientId}`;
}
