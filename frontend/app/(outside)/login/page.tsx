import type { Metadata } from "next";
import { LoginScreen } from "@/screens/login/login_screen";
import { text } from "@/text/login";

export const metadata: Metadata = { title: text.title };

export default function Page() {
  return <LoginScreen />;
}
