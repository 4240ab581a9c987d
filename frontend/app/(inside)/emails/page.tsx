import type { Metadata } from "next";
import { EmailsScreen } from "@/screens/emails/emails_screen";
import { text } from "@/text/emails";

export const metadata: Metadata = { title: text.title };

export default function Page() {
  return <EmailsScreen />;
}
