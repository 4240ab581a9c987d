import { text } from "@/text/approve";
import type { Draft } from "./queries";

/** What the letter is not fit to send for. */
export function Findings({ findings }: Pick<Draft, "findings">) {
  if (findings.length === 0) return null;
  return (
    <section className="rounded-box bg-warn-wash px-3 py-2 text-sm text-warn">
      <h3 className="font-semibold">{text.why}</h3>
      <ul className="list-disc pl-5">
        {findings.map(({ flag, excerpt }) => (
          <li key={flag + excerpt} className="[overflow-wrap:anywhere]">
            {text.flags[flag] ?? flag.replaceAll("_", " ")}
            {excerpt && `: ${text.excerpt(excerpt)}`}
          </li>
        ))}
      </ul>
    </section>
  );
}
