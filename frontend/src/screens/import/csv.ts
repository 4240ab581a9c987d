/** The header of a CSV file: on which line it stands (from 0), and what it says. */
export interface Header {
  line: number;
  delimiter: string;
  titles: string[];
}

const DELIMITERS = [",", ";", "\t", "|"] as const;
/** Titles and filters may stand above the header, as the API allows. */
const HEADER_WITHIN = 40;
/** A longer record is broken, as it is for the API. */
const MAX_RECORD = 131_072;
/** The header is the first line that is about as full as the fullest. */
const FULL = 0.6;

/** Return the lines with their ends, as the API counts them: CR, LF and CRLF end one. */
export function linesOf(text: string): string[] {
  return text.match(/[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$/g) ?? [];
}

/** Return the cells of the record that begins on the line; null where its quotes do not match. */
export function recordAt(lines: readonly string[], at: number, delimiter: string): string[] | null {
  const cells: string[] = [];
  let cell = "";
  let state: "start" | "plain" | "quoted" | "closed" = "start";
  let length = 0;
  for (let number = at; number < lines.length; number++) {
    const line = lines[number] ?? "";
    length += line.length;
    if (length > MAX_RECORD) return null;
    const end = line.search(/[\r\n]*$/);
    for (const char of line.slice(0, end)) {
      if (state === "quoted") {
        if (char === '"') state = "closed";
        else cell += char;
      } else if (char === delimiter) {
        cells.push(cell);
        cell = "";
        state = "start";
      } else if (char === '"' && state !== "plain") {
        if (state === "closed") cell += char;
        state = "quoted";
      } else if (state === "closed") {
        return null;
      } else {
        cell += char;
        state = "plain";
      }
    }
    if (state !== "quoted") return [...cells, cell];
    cell += line.slice(end);
  }
  return null;
}

/** Return the header that has these titles, as the API has found it; null if it is not found. */
export function headerWith(titles: readonly string[], lines: readonly string[]): Header | null {
  const wanted = JSON.stringify(titles);
  const found = candidates(lines).find(({ cells }) => JSON.stringify(cells) === wanted);
  return found ? header(found) : null;
}

/** Return what is most likely the header, where the API knows none of its titles. */
export function likelyHeader(lines: readonly string[]): Header | null {
  const all = candidates(lines);
  const most = Math.max(0, ...all.map(fullness));
  const delimiter = all.find((each) => fullness(each) === most)?.delimiter;
  const found = all.find(
    (each) => each.delimiter === delimiter && fullness(each) >= Math.max(1, most * FULL),
  );
  return found ? header(found) : null;
}

/** Return CSV, as spreadsheets read it; a cell that would be a formula is text. */
export function toCsv(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.map(quoted).join(",")}\r\n`).join("");
}

interface Candidate {
  line: number;
  delimiter: string;
  cells: string[];
}

function candidates(lines: readonly string[]): Candidate[] {
  return DELIMITERS.flatMap((delimiter) =>
    lines.slice(0, HEADER_WITHIN).flatMap((_, line) => {
      const cells = recordAt(lines, line, delimiter);
      return cells ? [{ line, delimiter, cells: cells.map(plain) }] : [];
    }),
  );
}

function header({ line, delimiter, cells }: Candidate): Header {
  return { line, delimiter, titles: cells };
}

function fullness({ cells }: Candidate): number {
  return cells.filter(Boolean).length;
}

/** A cell as the API reads it: without blanks around it, and the guard against formulas. */
function plain(cell: string): string {
  return cell.trim().replace(/^'(?=[=+\-@])/, "");
}

/** Of a telephone number, which a spreadsheet takes for no formula. */
const NUMBER = /^[+-]?[0-9(][0-9 ().-]*$/;

function quoted(cell: string): string {
  const guarded = /^[=+\-@\t\r]/.test(cell) && !NUMBER.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]|^\s|\s$/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
