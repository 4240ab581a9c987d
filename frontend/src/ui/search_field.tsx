import { useEffect, useRef, useState } from "react";
import { useQueryState } from "@/navigation";
import { inputClasses } from "./field";

/** Typing asks the server once it has stopped for so long. */
const SETTLE_MS = 200;

/** A field whose text is `q` of the address; another one begins at the first page. */
export function SearchField({ label }: { label: string }) {
  const [query, change] = useQueryState();
  const q = query.get("q") ?? "";
  const [typed, setTyped] = useState(q);
  const settled = useRef(q);
  // What came into the address otherwise, as by Back, is shown; what was typed is there already.
  useEffect(() => {
    if (q === settled.current) return;
    settled.current = q;
    setTyped(q);
  }, [q]);
  const latest = useRef(change);
  latest.current = change;
  useEffect(() => {
    if (typed.trim() === settled.current) return;
    const timer = setTimeout(() => {
      settled.current = typed.trim();
      latest.current({ q: typed.trim() || null, page: null }, { replace: true });
    }, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <input
      type="search"
      aria-label={label}
      placeholder={label}
      maxLength={200}
      value={typed}
      onChange={({ target }) => setTyped(target.value)}
      className={inputClasses}
    />
  );
}
