import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import type { Schemas } from "@/api/client";
import { refreshAll } from "@/api/queries";
import { text } from "@/text/import";
import { PageHead } from "@/ui/parts";
import { CheckStep } from "./check_step";
import { ChooseStep } from "./choose_step";
import { ColumnsStep } from "./columns_step";
import { headerWith, likelyHeader } from "./csv";
import { readLines } from "./lead_file";
import { ReportStep } from "./report_step";
import { Steps } from "./steps";
import { carryOut, check, type Reading, refusalOf, uploadOf } from "./upload";

type Report = Schemas["ImportReport"];

const AS_IT_IS: Reading = { charset: "", mapping: {}, onKnown: "report" };

/** Clients from a file: upload, columns, a check that changes nothing, the report. */
export default function ImportScreen() {
  const [round, setRound] = useState(0);
  return (
    <>
      <PageHead title={text.title} />
      <Import key={round} onAnother={() => setRound(round + 1)} />
    </>
  );
}

function Import({ onAnother }: { onAnother(): void }) {
  const client = useQueryClient();
  const [step, setStep] = useState<keyof typeof text.steps>("choose");
  const [file, setFile] = useState<File>();
  const [reading, setReading] = useState(AS_IT_IS);
  const [lines, setLines] = useState<string[]>([]);
  // What each column is taken for without the agent's word.
  const [columns, setColumns] = useState<Report["columns"]>([]);

  const recognise = useMutation({
    mutationFn: async ({ file, charset }: { file: File; charset: string }) => {
      setFile(file);
      setReading({ ...AS_IT_IS, charset });
      const read = readLines(await file.arrayBuffer(), charset);
      setLines(read);
      try {
        return (await check(await uploadOf(file, { ...AS_IT_IS, charset }))).columns;
      } catch (error) {
        const titles = refusalOf(error)?.mends === "columns" && likelyHeader(read)?.titles;
        if (!titles) throw error;
        return titles.map((title) => ({ title, taken_for: "" }));
      }
    },
    onSuccess: (found) => {
      setColumns(found);
      setStep("columns");
    },
  });
  const checked = useMutation({
    mutationFn: async (file: File) => {
      const upload = await uploadOf(file, reading);
      return { upload, report: await check(upload), key: crypto.randomUUID() };
    },
    onSuccess: () => {
      imported.reset();
      setStep("check");
    },
  });
  const imported = useMutation({
    mutationFn: ({ upload, key }: NonNullable<typeof checked.data>) => carryOut(upload, key),
    onSuccess: () => setStep("report"),
    onSettled: () => refreshAll(client),
  });
  const titles = columns.map(({ title }) => title);
  const source = { lines, header: headerWith(titles, lines) };

  // What was pressed is gone with its step: the focus goes to the next one.
  const top = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (step !== "choose") top.current?.focus();
  }, [step]);

  return (
    <div ref={top} tabIndex={-1} className="grid grid-cols-1 gap-4 outline-none">
      <Steps current={step} />
      {step === "choose" && (
        <ChooseStep
          file={file}
          error={recognise.error}
          isBusy={recognise.isPending}
          onRead={(file, charset) => recognise.mutate({ file, charset })}
        />
      )}
      {step === "columns" && file && (
        <ColumnsStep
          columns={columns}
          source={source}
          reading={reading}
          error={checked.error}
          isBusy={checked.isPending || recognise.isPending}
          onChange={setReading}
          onCharset={(charset) => recognise.mutate({ file, charset })}
          onBack={() => setStep("choose")}
          onCheck={() => checked.mutate(file)}
        />
      )}
      {step === "check" && checked.data && (
        <CheckStep
          report={checked.data.report}
          source={source}
          error={imported.error}
          isBusy={imported.isPending}
          onBack={() => setStep("columns")}
          onImport={() => imported.mutate(checked.data)}
        />
      )}
      {step === "report" && imported.data && file && (
        <ReportStep
          report={imported.data}
          source={source}
          fileName={file.name}
          onAnother={onAnother}
        />
      )}
    </div>
  );
}
