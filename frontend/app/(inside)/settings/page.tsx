import type { Metadata } from "next";
import { SettingsScreen } from "@/screens/settings/settings_screen";
import { text } from "@/text/settings";

export const metadata: Metadata = { title: text.title };

export default function Page() {
  return <SettingsScreen />;
}
