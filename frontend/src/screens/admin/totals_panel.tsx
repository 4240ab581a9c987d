import { useQuery } from "@tanstack/react-query";
import { api, readPage, type Schemas } from "@/api/client";
import { text } from "@/text/admin";
import { Loaded } from "@/ui/loaded";
import { Panel, Skeleton } from "@/ui/parts";

type Total = keyof typeof text.totalNames;

const STATUSES: Record<Total, Schemas["TaskStatus"][]> = {
  pending: ["pending"],
  moving: ["due", "written", "composed"],
  sent: ["sent"],
  failed: ["failed"],
  unknown: ["unknown"],
};
const TOTALS = Object.entries(STATUSES) as [Total, Schemas["TaskStatus"][]][];

/** How many follow-ups all agents have, by what has become of them. */
export function TotalsPanel() {
  const query = useQuery({
    queryKey: ["tasks", "office"],
    queryFn: () =>
      Promise.all(
        TOTALS.map(async ([name, status]) => {
          const params = { query: { status, limit: 1 } };
          return { name, count: (await readPage(api.GET("/api/admin/tasks", { params }))).total };
        }),
      ),
  });
  return (
    <Panel title={text.totals}>
      <Loaded query={query} skeleton={<Skeleton className="h-16" />}>
        {(totals) => (
          <dl className="grid grid-cols-2 gap-2 sm:grid-cols-5">
            {totals.map(({ name, count }) => (
              <div key={name} className="flex flex-col-reverse rounded-box bg-sunken px-3 py-2">
                <dt className="text-sm text-soft">{text.totalNames[name]}</dt>
                <dd className="text-2xl font-semibold tabular-nums">
                  {count.toLocaleString("en")}
                </dd>
              </div>
            ))}
          </dl>
        )}
      </Loaded>
    </Panel>
  );
}
