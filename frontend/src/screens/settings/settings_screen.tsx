import { lazy, Suspense } from "react";
import { text } from "@/text/settings";
import { PageHead, Skeleton } from "@/ui/parts";
import { TabLinks, useTab } from "@/ui/tab_links";
import { FactorPanel } from "./factor_panel";
import { LoginPanel, PasswordPanel } from "./password_panel";
import { ProfileTab } from "./profile_tab";
import { SendingTab } from "./sending_tab";
import { SessionsPanel } from "./sessions_panel";
import { SignatureTab } from "./signature_tab";

const PlansTab = lazy(() => import("./plans_tab").then(({ PlansTab }) => ({ default: PlansTab })));
const KeysTab = lazy(() => import("./keys_tab").then(({ KeysTab }) => ({ default: KeysTab })));
const SuppressionsPanel = lazy(() =>
  import("@/screens/suppressions/suppressions_panel").then(({ SuppressionsPanel }) => ({
    default: SuppressionsPanel,
  })),
);

const TABS = [
  ["profile", text.tabs.profile],
  ["signature", text.tabs.signature],
  ["sending", text.tabs.sending],
  ["plans", text.tabs.plans],
  ["security", text.tabs.security],
  ["keys", text.tabs.keys],
  ["suppressed", text.tabs.suppressed],
] as const;

/** What an agent decides for themselves, by tabs. */
export default function SettingsScreen() {
  const tab = useTab(TABS);
  return (
    <>
      <PageHead title={text.title} />
      <TabLinks label={text.title} tabs={TABS} current={tab} />
      <Suspense fallback={<Skeleton className="h-64" />}>
        {tab === "profile" && <ProfileTab />}
        {tab === "signature" && <SignatureTab />}
        {tab === "sending" && <SendingTab />}
        {tab === "plans" && <PlansTab />}
        {tab === "security" && (
          <div className="grid grid-cols-1 gap-4">
            <PasswordPanel />
            <LoginPanel />
            <FactorPanel />
            <SessionsPanel />
          </div>
        )}
        {tab === "keys" && <KeysTab />}
        {tab === "suppressed" && <SuppressionsPanel />}
      </Suspense>
    </>
  );
}
