import { useQuery } from "@tanstack/react-query";
import { api, read } from "@/api/client";
import { Link } from "@/navigation";
import { text as shell } from "@/text/shell";
import { text } from "@/text/today";
import { buttonClasses } from "@/ui/button";
import { Alert, PageHead } from "@/ui/parts";
import { Together } from "@/ui/together";
import { ActivityPanel } from "./activity_panel";
import { AttentionPanel } from "./attention_panel";
import { NextDayPanel } from "./next_day_panel";
import { PipelinePanel } from "./pipeline_panel";
import { SeriesPanel } from "./series_panel";

/** What needs a person, then what moves on its own. */
export default function TodayScreen() {
  const stats = useQuery({
    queryKey: ["dashboard", "stats"],
    queryFn: () => read(api.GET("/api/dashboard/stats")),
  });
  const isStopped = stats.data !== undefined && stats.data.sending !== "active";
  return (
    <>
      <PageHead title={text.title}>
        <Link href="/clients/?new=1" className={buttonClasses("main")}>
          {text.addClient}
        </Link>
      </PageHead>
      <Together>
        {isStopped && <Alert tone="warn">{shell.paused}</Alert>}
        <AttentionPanel />
        <PipelinePanel stats={stats} />
        <div className="grid items-start gap-4 xl:grid-cols-2">
          <NextDayPanel />
          <SeriesPanel />
        </div>
        <ActivityPanel />
      </Together>
    </>
  );
}
