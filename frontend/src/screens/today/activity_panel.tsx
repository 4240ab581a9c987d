import { useQuery } from "@tanstack/react-query";
import { api, readPage } from "@/api/client";
import { text } from "@/text/today";
import { Loaded } from "@/ui/loaded";
import { Empty, Panel } from "@/ui/parts";
import { Timeline } from "@/ui/timeline";

const SHOWN = 15;

/** What has happened last to the agent's clients. */
export function ActivityPanel() {
  const query = useQuery({
    queryKey: ["timeline", "activity"],
    queryFn: () =>
      readPage(api.GET("/api/dashboard/activity", { params: { query: { limit: SHOWN } } })),
  });
  return (
    <Panel title={text.activity}>
      <Loaded query={query}>
        {({ rows }) =>
          rows.length === 0 ? (
            <Empty title={text.noActivity}>{text.noActivityHint}</Empty>
          ) : (
            <Timeline entries={rows} withClients />
          )
        }
      </Loaded>
    </Panel>
  );
}
