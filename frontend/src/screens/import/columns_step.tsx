import type { Schemas } from "@/api/client";
import { reasonOf } from "@/api/problem";
import { text as common } from "@/text/common";
import { text } from "@/text/import";
import { Button } from "@/ui/button";
import { inputClasses } from "@/ui/field";
import { Alert, Panel } from "@/ui/parts";
import { Table } from "@/ui/table";
import { CharsetChoice } from "./choose_step";
import { samples } from "./lead_file";
import type { Source } from "./line_table";
import { type Reading, refusalOf } from "./upload";

interface ColumnsProps {
  columns: Schemas["ImportColumn"][];
  source: Source;
  reading: Reading;
  error: Error | null;
  isBusy: boolean;
  onChange(reading: Reading): void;
  onCharset(charset: string): void;
  onBack(): void;
  onCheck(): void;
}

const KNOWN = Object.entries(text.knownChoices) as [Reading["onKnown"], string][];

/** What each column was taken for, to be changed, and what becomes of clients that are known. */
export function ColumnsStep({ columns, source, reading, error, isBusy, ...asks }: ColumnsProps) {
  const first = source.header ? samples(source.lines, source.header) : [];
  const take = ({ title, taken_for }: Schemas["ImportColumn"], meaning: string) => {
    const { [title]: _, ...mapping } = reading.mapping;
    const changed = meaning === taken_for ? mapping : { ...mapping, [title]: meaning };
    asks.onChange({ ...reading, mapping: changed });
  };
  return (
    <Panel title={text.columnsCaption}>
      <p className="mb-3 text-sm text-soft">{text.columnsHint}</p>
      {error && (
        <div className="mb-3">
          <Alert>{refusalOf(error)?.reason ?? reasonOf(error, common.unreachable)}</Alert>
        </div>
      )}
      <Table label={text.columnsCaption} columns={[text.column, text.sample, text.takenFor]}>
        {columns.map((column, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: titles may be the same.
          <tr key={index}>
            <th scope="row" className="max-w-48 truncate">
              {column.title || <span className="text-soft">{text.noTitle}</span>}
            </th>
            <td className="max-w-64 truncate text-soft">{first[index]}</td>
            <td>
              <select
                aria-label={`${text.takenFor}: ${column.title || text.noTitle}`}
                className={`${inputClasses} min-w-44`}
                disabled={!column.title}
                value={reading.mapping[column.title] ?? column.taken_for}
                onChange={(event) => take(column, event.target.value)}
              >
                {optionsFor(column.taken_for).map(([value, words]) => (
                  <option key={value} value={value}>
                    {words}
                  </option>
                ))}
              </select>
            </td>
          </tr>
        ))}
      </Table>
      <details className="mt-3 text-sm">
        <summary className="inline-block min-h-6 text-accent">{text.lettersWrong}</summary>
        <CharsetChoice initial={reading.charset} onChoose={asks.onCharset} />
      </details>
      <fieldset className="mt-4 grid gap-1 text-sm">
        <legend className="mb-1 font-medium">{text.known}</legend>
        {KNOWN.map(([value, words]) => (
          <label key={value} className="flex min-h-7 items-center gap-2">
            <input
              type="radio"
              name="on_known"
              checked={reading.onKnown === value}
              onChange={() => asks.onChange({ ...reading, onKnown: value })}
            />
            {words}
          </label>
        ))}
      </fieldset>
      <div className="mt-5 flex flex-wrap justify-end gap-2">
        <Button onClick={asks.onBack}>{text.back}</Button>
        <Button look="main" isBusy={isBusy} onClick={asks.onCheck}>
          {text.checkFile}
        </Button>
      </div>
    </Panel>
  );
}

/** What can be chosen, and what the API has recognised, if that cannot. */
function optionsFor(recognised: string): [string, string][] {
  const all: [string, string][] = Object.entries(text.meanings);
  if (all.some(([value]) => value === recognised)) return all;
  return [[recognised, recognised || text.byTitle], ...all];
}
