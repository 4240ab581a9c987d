import { type DragEvent, useState } from "react";
import { reasonOf } from "@/api/problem";
import { text as common } from "@/text/common";
import { text } from "@/text/import";
import { Button, buttonClasses } from "@/ui/button";
import { Select } from "@/ui/field";
import { Alert } from "@/ui/parts";
import { CHARSETS, MOST_BYTES } from "./lead_file";
import { refusalOf } from "./upload";

interface ChooseProps {
  file: File | undefined;
  error: Error | null;
  isBusy: boolean;
  onRead(file: File, charset: string): void;
}

/** Choose a file, or drop one. Where the API does not know its charset, say it. */
export function ChooseStep({ file, error, isBusy, onRead }: ChooseProps) {
  const [isOver, setOver] = useState(false);
  const [isTooLarge, setTooLarge] = useState(false);
  const take = (files: FileList | null) => {
    const [chosen] = files ?? [];
    if (!chosen || isBusy) return;
    setTooLarge(chosen.size > MOST_BYTES);
    if (chosen.size <= MOST_BYTES) onRead(chosen, "");
  };
  const onDrag = (event: DragEvent, over: boolean) => {
    event.preventDefault();
    setOver(over);
  };
  const refusal = refusalOf(error);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a shortcut for the button.
    <section
      className={`grid justify-items-center gap-3 rounded-box border-2 border-dashed px-4 py-12 text-center ${isOver ? "border-accent bg-accent-wash" : "border-edge bg-surface"}`}
      onDragOver={(event) => onDrag(event, true)}
      onDragLeave={(event) => onDrag(event, false)}
      onDrop={(event) => {
        onDrag(event, false);
        take(event.dataTransfer.files);
      }}
    >
      <label
        className={`${buttonClasses("main")} cursor-pointer focus-within:outline-2 focus-within:outline-offset-2 focus-within:outline-accent`}
      >
        {text.choose}
        <input
          type="file"
          accept=".csv,.tsv,.txt,text/csv,text/plain"
          className="sr-only"
          disabled={isBusy}
          onChange={(event) => {
            take(event.target.files);
            // So that the same file, mended, can be chosen again.
            event.target.value = "";
          }}
        />
      </label>
      <p className="text-sm text-soft">{text.drop}</p>
      <p className="max-w-prose text-sm text-soft">{text.accepted}</p>
      <p role="status" className="min-h-5 text-sm">
        {isBusy && text.reading}
      </p>
      {isTooLarge && <Alert>{text.tooLarge}</Alert>}
      {error && !isTooLarge && !isBusy && (
        <Alert>
          {file?.name}:{" "}
          {refusal ? text.refused(refusal.reason) : reasonOf(error, common.unreachable)}
        </Alert>
      )}
      {refusal?.mends === "charset" && file && !isBusy && (
        <CharsetChoice onChoose={(charset) => onRead(file, charset)} />
      )}
    </section>
  );
}

/** In which charset the file is to be read. */
export function CharsetChoice({
  initial = "windows-1250",
  onChoose,
}: {
  initial?: string;
  onChoose(charset: string): void;
}) {
  const [charset, setCharset] = useState(initial);
  return (
    <div className="flex flex-wrap items-end gap-2 text-left">
      <Select
        label={text.charset}
        value={charset}
        onChange={(event) => setCharset(event.target.value)}
        options={[["", text.charsetAuto], ...CHARSETS]}
      />
      <Button onClick={() => onChoose(charset)}>{text.readAgain}</Button>
    </div>
  );
}
