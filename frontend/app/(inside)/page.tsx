import type { Metadata } from "next";
import { TodayScreen } from "@/screens/today/today_screen";
import { text } from "@/text/today";

export const metadata: Metadata = { title: text.title };

export default function Page() {
  return <TodayScreen />;
}
