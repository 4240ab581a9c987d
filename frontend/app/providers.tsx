"use client";

import { CSPProvider } from "@base-ui/react/csp-provider";
import { QueryClientProvider } from "@tanstack/react-query";
import { usePathname, useRouter, useSearchParams } from "next/navigation";
import { type ReactNode, useMemo, useState, useSyncExternalStore } from "react";
import { createQueryClient } from "@/api/queries";
import { NavigationProvider } from "@/navigation";

/** What all pages stand on. Base UI may not inject styles: the page's policy refuses them. */
export function Providers({ children }: { children: ReactNode }) {
  const [client] = useState(createQueryClient);
  return (
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={client}>
        <InBrowser>
          <NextNavigation>{children}</NextNavigation>
        </InBrowser>
      </QueryClientProvider>
    </CSPProvider>
  );
}

const NEVER = () => () => {};

/** What is known in the browser alone, as the address is; `Suspense` would show it 300 ms later. */
function InBrowser({ children }: { children: ReactNode }) {
  const isInBrowser = useSyncExternalStore(
    NEVER,
    () => true,
    () => false,
  );
  return isInBrowser && children;
}

/** Gives the router of Next.js to the code outside of `app/`, which does not know it. */
function NextNavigation({ children }: { children: ReactNode }) {
  const router = useRouter();
  const path = usePathname();
  const parameters = useSearchParams();
  const navigation = useMemo(
    () => ({
      path,
      query: new URLSearchParams(parameters),
      go: (href: string, { replace = false } = {}) =>
        replace ? router.replace(href, { scroll: false }) : router.push(href),
    }),
    [router, path, parameters],
  );
  return <NavigationProvider value={navigation}>{children}</NavigationProvider>;
}
