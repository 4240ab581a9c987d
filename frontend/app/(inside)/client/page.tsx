import type { Metadata } from "next";
import { ClientScreen } from "@/screens/client/client_screen";
import { text } from "@/text/client";

export const metadata: Metadata = { title: text.title };

export default function Page() {
  return <ClientScreen />;
}
