import type { ReactNode } from "react";
import { Frame } from "@/shell/frame";
import { askEarly } from "../ask_early";

export default function Layout({ children }: { children: ReactNode }) {
  askEarly("/api/agents/me");
  return <Frame>{children}</Frame>;
}
