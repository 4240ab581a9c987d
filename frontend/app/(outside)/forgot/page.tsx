import type { Metadata } from "next";
import { ForgotScreen } from "@/screens/forgot/forgot_screen";
import { text } from "@/text/forgot";

export const metadata: Metadata = { title: text.title };

export default function Page() {
  return <ForgotScreen />;
}
