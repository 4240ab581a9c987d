import { type Header, linesOf, recordAt, toCsv } from "./csv";

/** As many bytes the API takes at once. */
export const MOST_BYTES = 10 * 1_048_576;

/** Charsets that both the API and browsers read, besides those that are recognised. */
export const CHARSETS = [
  ["windows-1250", "Central European (Windows-1250)"],
  ["windows-1251", "Cyrillic (Windows-1251)"],
  ["windows-1252", "Western European (Windows-1252)"],
  ["windows-1253", "Greek (Windows-1253)"],
  ["windows-1254", "Turkish (Windows-1254)"],
  ["windows-1255", "Hebrew (Windows-1255)"],
  ["windows-1256", "Arabic (Windows-1256)"],
  ["windows-1257", "Baltic (Windows-1257)"],
  ["windows-1258", "Vietnamese (Windows-1258)"],
  ["iso-8859-2", "Central European (ISO-8859-2)"],
  ["iso-8859-15", "Western European (ISO-8859-15)"],
  ["koi8-r", "Russian (KOI8-R)"],
  ["macintosh", "Western European (Mac)"],
  ["shift_jis", "Japanese (Shift JIS)"],
  ["euc-kr", "Korean (EUC-KR)"],
  ["big5", "Traditional Chinese (Big5)"],
  ["gb18030", "Simplified Chinese (GB 18030)"],
  ["utf-8", "Unicode (UTF-8)"],
] as const;

const LOOKED_AT = 4096;

/**
 * Return the lines of the file, to be shown and given back; those that stand for nothing where the
 * browser cannot read it, which the API says better.
 */
export function readLines(bytes: ArrayBuffer, charset: string): string[] {
  for (const label of charset ? [charset] : candidates(new Uint8Array(bytes))) {
    try {
      return linesOf(new TextDecoder(label, { fatal: true }).decode(bytes));
    } catch {
      // Not in this charset.
    }
  }
  return [];
}

/** Marks are told by TextDecoder only to those who name the charset. */
function candidates(bytes: Uint8Array): string[] {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return ["utf-16le"];
  if (first === 0xfe && second === 0xff) return ["utf-16be"];
  const head = bytes.slice(0, LOOKED_AT);
  const zeros = [0, 1].map((odd) => head.filter((b, i) => b === 0 && i % 2 === odd).length);
  const [even = 0, odd = 0] = zeros;
  if ((even + odd) * 4 >= head.length && head.length > 0) {
    return [odd > even ? "utf-16le" : "utf-16be"];
  }
  return ["utf-8", "windows-1252"];
}

const SAMPLED = 20;

/** Return the first value that is not empty of each column. */
export function samples(lines: readonly string[], header: Header): string[] {
  const rows = Array.from({ length: SAMPLED }, (_, index) =>
    recordAt(lines, header.line + 1 + index, header.delimiter),
  );
  return header.titles.map(
    (_, column) => rows.find((row) => row?.[column]?.trim())?.[column] ?? "",
  );
}

/** A line of the file (from 1), and what is to be said of it. */
export interface NotedLine {
  line: number;
  reason: string;
}

/** Return those lines of the file as CSV, as they stand there, each with its reason at the end. */
export function notedLines(
  lines: readonly string[],
  header: Header,
  noted: readonly NotedLine[],
  reasonTitle: string,
): string {
  const rows = noted.map(({ line, reason }) => {
    const whole = lines[line - 1]?.replace(/[\r\n]+$/, "") ?? "";
    return { cells: recordAt(lines, line - 1, header.delimiter) ?? [whole], reason };
  });
  const width = Math.max(header.titles.length, ...rows.map(({ cells }) => cells.length));
  const padded = (cells: readonly string[]) =>
    Array.from({ length: width }, (_, index) => cells[index] ?? "");
  return toCsv([
    [...padded(header.titles), reasonTitle],
    ...rows.map(({ cells, reason }) => [...padded(cells), reason]),
  ]);
}
