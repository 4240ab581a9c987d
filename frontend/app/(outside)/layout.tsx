import type { ReactNode } from "react";
import { text } from "@/text/common";

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <main className="mx-auto grid min-h-dvh max-w-sm content-center gap-6 px-4 py-10">
      <p className="text-center text-xl font-bold">{text.product}</p>
      {children}
    </main>
  );
}
