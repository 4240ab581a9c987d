import { expect, test } from "vitest";
import { text } from "@/text/settings";
import { endingOf } from "./ending";

const DANA = {
  name: "Dana  Reed",
  title: "Broker",
  company: "Reed Homes",
  phone: "+1 555 0100",
  signature: null,
  disclosure: null,
  postal_address: null,
};

test("without a signature it is made of the profile", () => {
  expect(endingOf(DANA)).toEqual([
    "Best regards,\nDana Reed\nBroker, Reed Homes\n+1 555 0100",
    text.previewPostal,
  ]);
});

test("signature, disclosure and address follow each other, as paragraphs", () => {
  const own = {
    signature: " Warmly,\r\nDana\n \nP.S. ",
    disclosure: "Lic. 1",
    postal_address: "Elm St",
  };
  expect(endingOf({ ...DANA, ...own })).toEqual(["Warmly,\nDana", "P.S.", "Lic. 1", "Elm St"]);
});
