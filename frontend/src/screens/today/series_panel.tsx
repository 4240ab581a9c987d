import { useQuery } from "@tanstack/react-query";
import { api, read } from "@/api/client";
import { text } from "@/text/today";
import { Loaded } from "@/ui/loaded";
import { Empty, Panel } from "@/ui/parts";
import { SeriesChart } from "./series_chart";

/** The emails of the last 30 days: sent, and of those opened and clicked since. */
export function SeriesPanel() {
  const query = useQuery({
    queryKey: ["dashboard", "series"],
    queryFn: () => read(api.GET("/api/dashboard/series")),
  });
  return (
    <Panel title={text.series}>
      <Loaded query={query}>
        {({ days }) =>
          days.some(({ sent }) => sent > 0) ? (
            <SeriesChart days={days} />
          ) : (
            <Empty title={text.noEmails} />
          )
        }
      </Loaded>
    </Panel>
  );
}
