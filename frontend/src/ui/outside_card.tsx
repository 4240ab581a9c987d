import type { ReactNode } from "react";
import { Link } from "@/navigation";

interface OutsideCardProps {
  title: string;
  /** What the link to the log-in says. */
  logIn: string;
  children: ReactNode;
}

/** What a page shows to who is not logged in, with the way to log in. */
export function OutsideCard({ title, logIn, children }: OutsideCardProps) {
  return (
    <section className="grid gap-4 rounded-box border border-line bg-surface p-6">
      <h1 className="text-xl font-semibold">{title}</h1>
      {children}
      <p className="text-sm">
        <Link href="/login/" className="text-accent underline">
          {logIn}
        </Link>
      </p>
    </section>
  );
}
