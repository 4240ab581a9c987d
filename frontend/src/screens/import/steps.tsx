import { text } from "@/text/import";

type Step = keyof typeof text.steps;

const ORDER = Object.keys(text.steps) as Step[];

/** Which of the steps the agent is at. */
export function Steps({ current }: { current: Step }) {
  return (
    <ol aria-label={text.stepsLabel} className="flex flex-wrap gap-x-5 gap-y-2 text-sm">
      {ORDER.map((step, index) => {
        const isCurrent = step === current;
        const isDone = index < ORDER.indexOf(current);
        return (
          <li
            key={step}
            aria-current={isCurrent ? "step" : undefined}
            className={`flex items-center gap-2 ${isCurrent ? "font-semibold" : "text-soft"}`}
          >
            <span
              aria-hidden
              className={`grid size-6 place-content-center rounded-full text-xs ${isCurrent ? "bg-accent text-accent-ink" : "bg-sunken text-ink"}`}
            >
              {isDone ? "✓" : index + 1}
            </span>
            {text.steps[step]}
          </li>
        );
      })}
    </ol>
  );
}
