import type { Metadata } from "next";
import { FollowupsScreen } from "@/screens/followups/followups_screen";
import { text } from "@/text/followups";

export const metadata: Metadata = { title: text.title };

export default function Page() {
  return <FollowupsScreen />;
}
