import type { Schemas } from "@/api/client";
import { useQueryState } from "@/navigation";
import { text } from "@/text/clients";
import { names } from "@/text/common";

type Stage = Schemas["Stage"];

interface StageChipsProps {
  counts: Schemas["ClientCounts"] | undefined;
  chosen: readonly Stage[];
}

const CHIP =
  "inline-flex min-h-8 items-center gap-2 rounded-full border border-edge bg-surface px-3 text-sm hover:bg-sunken aria-pressed:border-accent aria-pressed:bg-accent-wash aria-pressed:font-medium aria-pressed:text-accent";

/** The stages as filters, each with how many clients it has; several can be chosen. */
export function StageChips({ counts, chosen }: StageChipsProps) {
  const [, change] = useQueryState();
  const show = (stage: string[]) => change({ stage, page: null });
  return (
    <fieldset className="flex flex-wrap gap-2">
      <legend className="sr-only">{text.stages}</legend>
      <button
        type="button"
        aria-pressed={chosen.length === 0}
        onClick={() => show([])}
        className={CHIP}
      >
        {text.allStages} <Count of={counts?.total} />
      </button>
      {stages().map((stage) => {
        const isChosen = chosen.includes(stage);
        return (
          <button
            key={stage}
            type="button"
            aria-pressed={isChosen}
            onClick={() =>
              show(isChosen ? chosen.filter((each) => each !== stage) : [...chosen, stage])
            }
            className={CHIP}
          >
            {names.stage[stage]} <Count of={counts?.by_stage[stage]} />
          </button>
        );
      })}
    </fieldset>
  );
}

function stages(): Stage[] {
  return Object.keys(names.stage) as Stage[];
}

function Count({ of }: { of: number | undefined }) {
  return <span className="text-soft tabular-nums">{of?.toLocaleString("en") ?? "…"}</span>;
}
