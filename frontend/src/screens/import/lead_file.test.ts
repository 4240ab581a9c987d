import { expect, test } from "vitest";
import { linesOf } from "./csv";
import { notedLines, readLines, samples } from "./lead_file";

const HEADER = { line: 0, delimiter: ";", titles: ["Name", "Email"] };
const LINES = linesOf('Name;Email\nAnn;\n"Bob\nB.";bob@x;more\n"Cy;open\n');

test("noted lines stand as in the file, each with its reason behind all columns", () => {
  const noted = [
    { line: 2, reason: "email: missing" },
    { line: 3, reason: "email: wrong" },
    { line: 5, reason: "a quote is never closed" },
  ];
  expect(notedLines(LINES, HEADER, noted, "Reason")).toBe(
    'Name,Email,,Reason\r\nAnn,,,email: missing\r\n"Bob\nB.",bob@x,more,email: wrong\r\n' +
      '"""Cy;open",,,a quote is never closed\r\n',
  );
});

test("samples are the first values", () => {
  expect(samples(LINES, HEADER)).toEqual(["Ann", "bob@x"]);
});

const bytes = (...values: number[]) => new Uint8Array(values).buffer;

test.each([
  [bytes(0xef, 0xbb, 0xbf, 0xc3, 0xa4), "", "ä"],
  [bytes(0xff, 0xfe, 0xe4, 0), "", "ä"],
  [bytes(0x61, 0, 0x62, 0), "", "ab"],
  [bytes(0xe4), "", "ä"],
  [bytes(0xe4), "windows-1251", "д"],
])("a file is read in its charset", (content, charset, text) => {
  expect(readLines(content, charset)).toEqual([text]);
});

test("what cannot be read has no lines", () => {
  expect(readLines(bytes(0xff), "utf-8")).toEqual([]);
});
