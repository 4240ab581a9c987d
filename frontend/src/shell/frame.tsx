import { useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense, useEffect, useRef, useState } from "react";
import { meQuery, refreshAll } from "@/api/queries";
import { followChanges } from "@/live/live_updates";
import { Link, useNavigation } from "@/navigation";
import { followLogOut, sessionEnded, sessionOwner } from "@/session/session";
import { useStore } from "@/store";
import { text as common } from "@/text/common";
import { text } from "@/text/shell";
import { zoneName } from "@/time/zone";
import { Button } from "@/ui/button";
import { Loaded } from "@/ui/loaded";
import { Skeleton } from "@/ui/parts";
import { Toasts } from "@/ui/toast";
import { AccountMenu } from "./account_menu";
import { LiveIndicator } from "./live_indicator";
import { type Me, MeProvider } from "./me";
import { NavigationBar } from "./navigation_bar";
import { ShortcutHelp } from "./shortcuts";

const SessionDialog = lazy(() =>
  import("./session_dialog").then(({ SessionDialog }) => ({ default: SessionDialog })),
);
const Palette = lazy(() => import("./palette").then(({ Palette }) => ({ default: Palette })));

/** What is around every page of an agent who is logged in; who is not goes to the log-in page. */
export function Frame({ children }: { children: ReactNode }) {
  const query = useQuery(meQuery);
  return (
    <Loaded query={query} skeleton={<LoadingPage />}>
      {(me) => <Inside me={me}>{children}</Inside>}
    </Loaded>
  );
}

function LoadingPage() {
  return (
    <div className="p-6">
      <Skeleton className="h-[80dvh]" />
    </div>
  );
}

function Inside({ me, children }: { me: Me; children: ReactNode }) {
  const client = useQueryClient();
  const { path } = useNavigation();
  sessionOwner.set(me.id);
  useEffect(() => followLogOut(), []);
  useEffect(() => followChanges(() => refreshAll(client)), [client]);
  // A page that was gone to begins with the focus at its top; where a browser begins it knows.
  const focused = useRef(path);
  useEffect(() => {
    if (path !== focused.current)
      document.getElementById("content")?.focus({ preventScroll: true });
    focused.current = path;
  }, [path]);
  return (
    <MeProvider value={me}>
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:bg-surface focus:p-2"
      >
        {text.skip}
      </a>
      <div className="mx-auto max-w-7xl gap-6 px-3 lg:grid lg:grid-cols-[12rem_1fr] lg:px-6">
        <header className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 py-3 lg:col-span-2 lg:border-b lg:border-line">
          <Link href="/" className="text-lg font-bold">
            {common.product}
          </Link>
          <ZoneNote zone={me.time_zone} />
          <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
            <LiveIndicator />
            <Search />
            <AccountMenu />
          </div>
        </header>
        <div className="lg:sticky lg:top-4 lg:self-start">
          <NavigationBar />
        </div>
        <main id="content" tabIndex={-1} className="min-w-0 pt-2 pb-24 outline-none lg:pb-10">
          {children}
        </main>
      </div>
      <ShortcutHelp />
      <EndedSession />
      <Toasts />
    </MeProvider>
  );
}

/** The agent's zone, where the browser has another one. */
function ZoneNote({ zone }: { zone: string }) {
  if (Intl.DateTimeFormat().resolvedOptions().timeZone === zone) return null;
  return <p className="text-sm text-soft">{text.zone(zone, zoneName(zone))}</p>;
}

function Search() {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!(event.metaKey || event.ctrlKey) || event.key.toLowerCase() !== "k") return;
      event.preventDefault();
      setOpen(true);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  return (
    <>
      <Button onClick={() => setOpen(true)}>
        {text.search} <kbd className="text-xs text-soft">⌘K</kbd>
      </Button>
      <Suspense>{isOpen && <Palette onClose={() => setOpen(false)} />}</Suspense>
    </>
  );
}

function EndedSession() {
  return <Suspense>{useStore(sessionEnded) && <SessionDialog />}</Suspense>;
}
