import { SuppressionsPanel } from "@/screens/suppressions/suppressions_panel";
import { useAgent } from "@/shell/me";
import { text } from "@/text/admin";
import { Empty, PageHead } from "@/ui/parts";
import { TabLinks, useTab } from "@/ui/tab_links";
import { AgentsTab } from "./agents_tab";
import { FailuresTab } from "./failures_tab";
import { QuarantineTab } from "./quarantine_tab";
import { SendingPanel } from "./sending_panel";
import { TokensPanel } from "./tokens_panel";
import { TotalsPanel } from "./totals_panel";

const TABS = [
  ["office", text.tabs.office],
  ["agents", text.tabs.agents],
  ["failures", text.tabs.failures],
  ["suppressed", text.tabs.suppressed],
  ["quarantine", text.tabs.quarantine],
] as const;

/** What admins see to, for all agents. */
export default function AdminScreen() {
  const isAdmin = useAgent().role === "admin";
  const tab = useTab(TABS);
  if (!isAdmin) {
    return (
      <>
        <PageHead title={text.title} />
        <Empty title={text.notAllowed}>{text.notAllowedHint}</Empty>
      </>
    );
  }
  return (
    <>
      <PageHead title={text.title} />
      <TabLinks label={text.title} tabs={TABS} current={tab} />
      {tab === "office" && (
        <div className="grid grid-cols-1 gap-4">
          <SendingPanel />
          <TotalsPanel />
          <TokensPanel />
        </div>
      )}
      {tab === "agents" && <AgentsTab />}
      {tab === "failures" && <FailuresTab />}
      {tab === "suppressed" && <SuppressionsPanel />}
      {tab === "quarantine" && <QuarantineTab />}
    </>
  );
}
