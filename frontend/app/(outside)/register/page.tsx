import type { Metadata } from "next";
import { RegisterScreen } from "@/screens/register/register_screen";
import { text } from "@/text/register";

export const metadata: Metadata = { title: text.title };

export default function Page() {
  return <RegisterScreen />;
}
