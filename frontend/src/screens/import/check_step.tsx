import type { Schemas } from "@/api/client";
import { reasonOf, Unreachable } from "@/api/problem";
import { text as common } from "@/text/common";
import { text } from "@/text/import";
import { Button } from "@/ui/button";
import { Alert, Panel } from "@/ui/parts";
import { Counts } from "./counts";
import { LineTable, type Source } from "./line_table";

interface CheckProps {
  report: Schemas["ImportReport"];
  source: Source;
  error: Error | null;
  isBusy: boolean;
  onBack(): void;
  onImport(): void;
}

/** What would become of the file; then import it. */
export function CheckStep({ report, source, error, isBusy, onBack, onImport }: CheckProps) {
  const { imported, updated, suppressed } = report;
  const isNothing = imported + updated + suppressed === 0;
  return (
    <>
      <Panel title={text.steps.check}>
        <p className="mb-3 text-sm text-soft">{text.checkHint}</p>
        <Counts report={report} />
        <div className="mt-4 grid gap-3">
          {error && (
            <Alert>
              {reasonOf(error, common.unreachable)} {error instanceof Unreachable && text.again}
            </Alert>
          )}
          {isNothing && <Alert tone="warn">{text.nothingToImport}</Alert>}
          <p role="status" className="text-sm empty:hidden">
            {isBusy ? text.importing : ""}
          </p>
          <div className="flex flex-wrap justify-end gap-2">
            <Button disabled={isBusy} onClick={onBack}>
              {text.back}
            </Button>
            <Button look="main" isBusy={isBusy} disabled={isNothing} onClick={onImport}>
              {text.importNow(imported + updated)}
            </Button>
          </div>
        </div>
      </Panel>
      <LineTable lines={report.lines} source={source} />
    </>
  );
}
