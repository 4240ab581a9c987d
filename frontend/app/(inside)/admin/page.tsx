import type { Metadata } from "next";
import { AdminScreen } from "@/screens/admin/admin_screen";
import { text } from "@/text/admin";

export const metadata: Metadata = { title: text.title };

export default function Page() {
  return <AdminScreen />;
}
