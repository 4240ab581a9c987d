import type { Metadata } from "next";
import { ImportScreen } from "@/screens/import/import_screen";
import { text } from "@/text/import";

export const metadata: Metadata = { title: text.title };

export default function Page() {
  return <ImportScreen />;
}
