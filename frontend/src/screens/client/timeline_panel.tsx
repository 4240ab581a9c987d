import { text } from "@/text/client";
import { Loaded } from "@/ui/loaded";
import { MoreButton } from "@/ui/more_button";
import { Empty, Panel } from "@/ui/parts";
import { Timeline } from "@/ui/timeline";
import { useTimeline } from "./queries";

/** What has happened to the client, the newest first. */
export function TimelinePanel({ clientId }: { clientId: string }) {
  const query = useTimeline(clientId);
  return (
    <Panel title={text.timeline}>
      <Loaded query={query}>
        {({ pages }) => (
          <>
            {pages[0]?.rows.length === 0 && <Empty title={text.noTimeline} />}
            <Timeline entries={pages.flatMap(({ rows }) => rows)} />
            <MoreButton query={query} of={text.timeline} />
          </>
        )}
      </Loaded>
    </Panel>
  );
}
