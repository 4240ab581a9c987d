import type { Metadata } from "next";
import { ClientsScreen } from "@/screens/clients/clients_screen";
import { text } from "@/text/clients";

export const metadata: Metadata = { title: text.title };

export default function Page() {
  return <ClientsScreen />;
}
