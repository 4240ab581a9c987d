import type { Metadata } from "next";
import { ApproveScreen } from "@/screens/approve/approve_screen";
import { text } from "@/text/approve";

export const metadata: Metadata = { title: text.title };

export default function Page() {
  return <ApproveScreen />;
}
