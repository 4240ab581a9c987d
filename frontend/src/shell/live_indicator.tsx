import { connection } from "@/live/connection";
import { useStore } from "@/store";
import { text } from "@/text/shell";
import { time } from "@/time/zone";
import { useZone } from "./me";

const DOTS = {
  connecting: "bg-edge",
  live: "bg-good",
  polling: "bg-warn",
  offline: "bg-bad",
};

/** How the page keeps up, as it is. */
export function LiveIndicator() {
  const state = useStore(connection);
  const zone = useZone();
  return (
    <p role="status" className="flex items-center gap-2 text-sm text-soft">
      <span aria-hidden className={`size-2 rounded-full ${DOTS[state.mode]}`} />
      {state.mode === "offline"
        ? text.offline(time(state.since.toISOString(), zone))
        : text[state.mode]}
    </p>
  );
}
