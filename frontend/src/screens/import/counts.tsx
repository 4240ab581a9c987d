import type { Schemas } from "@/api/client";
import { text } from "@/text/import";

type Count = keyof typeof text.counts;

const ORDER = Object.keys(text.counts) as Count[];
/** What is told also when there is none. */
const ALWAYS: ReadonlySet<Count> = new Set(["imported", "known", "refused"]);

/** How many lines become what. */
export function Counts({ report }: { report: Schemas["ImportReport"] }) {
  return (
    <dl className="grid grid-cols-2 gap-2 sm:grid-cols-3 lg:grid-cols-6">
      {ORDER.filter((name) => report[name] > 0 || ALWAYS.has(name)).map((name) => (
        <div key={name} className="flex flex-col-reverse rounded-box bg-sunken px-3 py-2">
          <dt className="text-sm text-soft">{text.counts[name][report.dry_run ? 0 : 1]}</dt>
          <dd className="text-2xl font-semibold tabular-nums">
            {report[name].toLocaleString("en")}
          </dd>
        </div>
      ))}
    </dl>
  );
}
