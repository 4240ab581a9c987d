import { expect, test } from "vitest";
import { headerWith, likelyHeader, linesOf, recordAt, toCsv } from "./csv";

test("lines end at CR, LF and CRLF, and keep their ends", () => {
  expect(linesOf("a\r\nb\rc\n\nd")).toEqual(["a\r\n", "b\r", "c\n", "\n", "d"]);
  expect(linesOf("")).toEqual([]);
});

test.each([
  ['Ann,"a, b",x\n', ["Ann", "a, b", "x"]],
  ['"two\nlines","say ""hi"""\nnext\n', ["two\nlines", 'say "hi"']],
  ['5" pipe,\n', ['5" pipe', ""]],
  ['"never closed,x\n', null],
  ['"closed"here,x\n', null],
])("the record of %j is %j", (text, cells) => {
  expect(recordAt(linesOf(text), 0, ",")).toEqual(cells);
});

const EXPORT = linesOf("Report of May;;\n\nKontakt;Nr;Ort\nann@x.example;1;Ulm\n");

test("the header is found by its titles, below what stands above it", () => {
  expect(headerWith(["Kontakt", "Nr", "Ort"], EXPORT)).toEqual({
    line: 2,
    delimiter: ";",
    titles: ["Kontakt", "Nr", "Ort"],
  });
  expect(headerWith(["Other"], EXPORT)).toBeNull();
});

test("the likely header is the first full line", () => {
  expect(likelyHeader(EXPORT)?.titles).toEqual(["Kontakt", "Nr", "Ort"]);
  expect(likelyHeader([])).toBeNull();
});

test("cells are quoted where they need it, and no formulas", () => {
  expect(toCsv([["a", 'b"c', "=1+1", "+1 (20)", "x\ny"]])).toBe(
    'a,"b""c",\'=1+1,+1 (20),"x\ny"\r\n',
  );
});
