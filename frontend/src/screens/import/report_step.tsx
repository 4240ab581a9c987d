import type { Schemas } from "@/api/client";
import { Link } from "@/navigation";
import { text } from "@/text/import";
import { Button, buttonClasses } from "@/ui/button";
import { Alert, Panel } from "@/ui/parts";
import { Counts } from "./counts";
import { notedLines } from "./lead_file";
import { LineTable, reasonOfLine, type Source } from "./line_table";

interface ReportProps {
  report: Schemas["ImportReport"];
  source: Source;
  fileName: string;
  onAnother(): void;
}

/** What has become of the file; its bad lines can be taken away to be mended. */
export function ReportStep({ report, source, fileName, onAnother }: ReportProps) {
  const bad = report.lines.filter(({ outcome }) => outcome === "refused" || outcome === "pending");
  const download = () => {
    const { lines, header = null } = source;
    const noted = bad.map((line) => ({ line: line.line, reason: reasonOfLine(line) }));
    const titles = header ?? { line: 0, delimiter: ",", titles: [] };
    save(text.downloadName(fileName), notedLines(lines, titles, noted, text.reason));
  };
  return (
    <>
      <Panel title={text.steps.report}>
        <Alert tone="good">{text.done}</Alert>
        <div className="mt-3">
          <Counts report={report} />
        </div>
        {bad.length > 0 && (
          <div className="mt-4 flex flex-wrap items-center gap-3">
            <Button onClick={download}>{text.download(bad.length)}</Button>
            <p className="text-sm text-soft">{text.downloadHint}</p>
          </div>
        )}
        <div className="mt-4 flex flex-wrap gap-2">
          <Link href="/clients/" className={buttonClasses("main")}>
            {text.clients}
          </Link>
          <Button onClick={onAnother}>{text.another}</Button>
        </div>
      </Panel>
      <LineTable lines={report.lines} source={source} />
    </>
  );
}

/** Have the browser store a CSV; with a mark, so that spreadsheets read it as UTF-8. */
function save(name: string, csv: string): void {
  const url = URL.createObjectURL(new Blob(["\ufeff", csv], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
