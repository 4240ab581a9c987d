import { CSPProvider } from "@base-ui/react/csp-provider";
import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ComponentType, startTransition, useEffect, useMemo, useState } from "react";
import { navigate, usePathname, useSearch } from "wouter/use-browser-location";
import { reportUnreachable } from "@/live/connection";
import { NavigationProvider } from "@/navigation";
import { Frame } from "@/shell/frame";
import { text } from "@/text/common";
import { loadScreen, type Page, pageAt } from "./pages";

const RETRY_MS = 2000;

interface Shown {
  path: string;
  search: string;
  page: Page;
  Screen: ComponentType;
}

/** Load what the address names, as it is now. */
export async function loadShown(path: string, search: string): Promise<Shown> {
  const page = pageAt(path);
  return { path, search, page, Screen: await loadScreen(page) };
}

/** The whole dashboard. Base UI may not inject styles: the page's policy refuses them. */
export function App({ client, first }: { client: QueryClient; first: Shown }) {
  const { path, search, page, Screen } = useShown(first);
  const navigation = useMemo(
    () => ({ path, query: new URLSearchParams(search), go }),
    [path, search],
  );
  useEffect(() => {
    document.title = `${page.title} · ${text.product}`;
  }, [page]);
  return (
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={client}>
        <NavigationProvider value={navigation}>
          {page.isInside ? (
            <Frame>
              <Screen />
            </Frame>
          ) : (
            <main className="mx-auto grid min-h-dvh max-w-sm content-center gap-6 px-4 py-10">
              <p className="text-center text-xl font-bold">{text.product}</p>
              <Screen />
            </main>
          )}
        </NavigationProvider>
      </QueryClientProvider>
    </CSPProvider>
  );
}

/** Return what is shown: what the address names, once its screen is loaded. */
function useShown(first: Shown): Shown {
  const [path, search] = [usePathname(), useSearch()];
  const [shown, setShown] = useState(first);
  useEffect(() => {
    let isWanted = true;
    loadShown(path, search).then(
      // As a transition: the browser stays free for what is pressed meanwhile.
      (loaded) => isWanted && startTransition(() => setShown(loaded)),
      () => reload(() => isWanted),
    );
    return () => {
      isWanted = false;
    };
  }, [path, search]);
  return shown;
}

/** Load the page anew once the gateway can be reached: another release has other files. */
async function reload(isWanted: () => boolean): Promise<void> {
  while (isWanted()) {
    try {
      // One that has just started serves pages before it answers.
      const { status } = await fetch("/api/agents/me");
      if (status < 500) return window.location.reload();
    } catch {
      reportUnreachable();
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** Go to an address of the dashboard; a page that is gone to begins at its top. */
function go(href: string, { replace = false } = {}): void {
  navigate(href, { replace });
  if (!replace) window.scrollTo(0, 0);
}
