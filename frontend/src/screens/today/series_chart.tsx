import type { Schemas } from "@/api/client";
import { text } from "@/text/today";

type EmailDay = Schemas["EmailDay"];

const HEIGHT = 120;
const STEP = 20;
const BAR = 14;

/** What a bar is made of: all that were sent, within it the opened ones, within those the clicked. */
const LAYERS = [
  ["sent", text.seriesSent, "fill-edge", "bg-edge"],
  ["opened", text.seriesOpened, "fill-good", "bg-good"],
  ["clicked", text.seriesClicked, "fill-accent", "bg-accent"],
] as const;

/** A bar for each day; its figures can be read as a table, too. */
export function SeriesChart({ days }: { days: EmailDay[] }) {
  const most = Math.max(1, ...days.map(({ sent }) => sent));
  return (
    <figure className="grid gap-3">
      <svg
        viewBox={`0 0 ${days.length * STEP} ${HEIGHT}`}
        preserveAspectRatio="none"
        aria-hidden="true"
        className="h-32 w-full"
      >
        {days.map((each, index) => (
          <g key={each.day}>
            <title>{sentence(each)}</title>
            {LAYERS.map(([layer, , fill]) => {
              const height = (each[layer] / most) * HEIGHT;
              return (
                <rect
                  key={layer}
                  x={index * STEP + (STEP - BAR) / 2}
                  y={HEIGHT - height}
                  width={BAR}
                  height={height}
                  className={fill}
                />
              );
            })}
          </g>
        ))}
      </svg>
      <figcaption className="flex flex-wrap gap-x-4 gap-y-1 text-sm text-soft">
        {LAYERS.map(([layer, label, , color]) => (
          <span key={layer} className="flex items-center gap-1.5">
            <span aria-hidden className={`size-3 rounded-sm ${color}`} />
            {sum(days, layer)} {label}
          </span>
        ))}
      </figcaption>
      <details className="text-sm">
        <summary className="inline-block min-h-6 text-accent">{text.seriesTable}</summary>
        <table className="w-full tabular-nums">
          <thead>
            <tr className="text-left">
              <th scope="col">{text.day}</th>
              {LAYERS.map(([layer, label]) => (
                <th key={layer} scope="col">
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {days.toReversed().map((each) => (
              <tr key={each.day}>
                <th scope="row" className="text-left font-normal">
                  {each.day}
                </th>
                {LAYERS.map(([layer]) => (
                  <td key={layer}>{each[layer]}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}

function sum(days: EmailDay[], layer: "sent" | "opened" | "clicked"): number {
  return days.reduce((total, each) => total + each[layer], 0);
}

function sentence({ day, sent, opened, clicked }: EmailDay): string {
  return `${day}: ${sent} ${text.seriesSent}, ${opened} ${text.seriesOpened}, ${clicked} ${text.seriesClicked}`;
}
