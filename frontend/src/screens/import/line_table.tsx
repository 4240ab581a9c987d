import { useState } from "react";
import type { Schemas } from "@/api/client";
import { clientPage, Link } from "@/navigation";
import { text } from "@/text/import";
import { Button } from "@/ui/button";
import { Pager } from "@/ui/pager";
import { Empty, Panel } from "@/ui/parts";
import { Table } from "@/ui/table";
import { type Header, recordAt } from "./csv";

/** The file's own lines, and where its header is. */
export interface Source {
  lines: readonly string[];
  header: Header | null;
}

type Line = Schemas["ImportedLine"];
type Filter = keyof typeof text.filters;

const FILTERS: Record<Filter, (line: Line) => boolean> = {
  refused: ({ outcome }) => outcome === "refused",
  pending: ({ outcome }) => outcome === "pending",
  warnings: ({ warnings }) => warnings.length > 0,
  known: ({ outcome }) => outcome === "known" || outcome === "updated",
  suppressed: ({ suppressed }) => suppressed,
};
const AT_ONCE = 25;
const CELLS = 3;

/** Lines that want a look, by what is the matter with them. */
export function LineTable({ lines, source }: { lines: Line[]; source: Source }) {
  const filters = (Object.keys(FILTERS) as Filter[])
    .map((filter) => ({ filter, found: lines.filter(FILTERS[filter]) }))
    .filter(({ found }) => found.length > 0);
  const [chosen, setChosen] = useState(filters[0]?.filter);
  const [page, setPage] = useState(1);
  const found = filters.find(({ filter }) => filter === chosen)?.found ?? [];
  const shown = found.slice((page - 1) * AT_ONCE, page * AT_ONCE);
  if (filters.length === 0) {
    return (
      <Panel title={text.linesTitle}>
        <Empty title={text.noLines} />
      </Panel>
    );
  }
  return (
    <Panel title={text.linesTitle}>
      <div className="mb-3 flex flex-wrap gap-2">
        {filters.map(({ filter, found }) => (
          <Button
            key={filter}
            aria-pressed={filter === chosen}
            className="aria-pressed:border-accent aria-pressed:bg-accent-wash aria-pressed:text-accent"
            onClick={() => {
              setChosen(filter);
              setPage(1);
            }}
          >
            {text.filters[filter]} <span className="tabular-nums">{found.length}</span>
          </Button>
        ))}
      </div>
      <Table label={text.linesTitle} columns={[text.line, text.inFile, text.what]}>
        {shown.map((line) => (
          <tr key={line.line} className="align-top">
            <th scope="row" className="tabular-nums">
              {line.line}
            </th>
            <td className="max-w-64 truncate text-soft">{excerpt(line, source)}</td>
            <td className="min-w-48">
              {sentences(line).join("; ")}{" "}
              {line.client_id && (line.outcome === "known" || line.outcome === "updated") && (
                <Link href={clientPage(line.client_id)} className="text-accent underline">
                  {text.showClient}
                </Link>
              )}
            </td>
          </tr>
        ))}
      </Table>
      <Pager limit={AT_ONCE} total={found.length} page={page} onPage={setPage} />
    </Panel>
  );
}

/** Return why the line is bad. */
export function reasonOfLine({ outcome, errors }: Line): string {
  return outcome === "pending" ? text.pendingReason : errors.map(noted).join("; ");
}

function sentences(line: Line): string[] {
  const { outcome, errors, warnings, suppressed } = line;
  return [
    ...(outcome === "pending" ? [text.pendingReason] : []),
    ...errors.map(noted),
    ...(outcome === "known" || outcome === "updated" ? [difference(line)] : []),
    ...warnings.map(noted),
    ...(suppressed ? [text.optedOut] : []),
  ];
}

function difference({ outcome, differs }: Line): string {
  if (differs.length === 0) return text.same;
  const fields = differs.map(fieldName).join(", ");
  return outcome === "updated" ? text.changes(fields) : text.differs(fields);
}

function noted({ field, reason }: Schemas["FieldError"]): string {
  return field === text.whole ? reason : `${fieldName(field)}: ${reason}`;
}

function fieldName(field: string): string {
  const names: Record<string, string> = text.meanings;
  return names[field] ?? field.replaceAll("_", " ");
}

/** The first values of the line, to know it again. */
function excerpt({ line }: Line, { lines, header }: Source): string {
  const cells = header && recordAt(lines, line - 1, header.delimiter);
  return cells
    ? cells
        .filter((cell) => cell.trim())
        .slice(0, CELLS)
        .join(" · ")
    : (lines[line - 1] ?? "");
}
