import type { Schemas } from "@/api/client";
import { useAttention } from "@/api/queries";
import { clientPage, Link } from "@/navigation";
import { names } from "@/text/common";
import { text } from "@/text/today";
import { fromNow } from "@/time/zone";
import { Loaded } from "@/ui/loaded";
import { Badge, Empty, Panel, type Tone } from "@/ui/parts";
import { AttentionAction } from "./attention_action";

type Group = Schemas["AttentionGroup"];

const TONES: Record<Group["kind"], Tone> = {
  approve: "accent",
  flagged: "warn",
  failed: "bad",
  unknown: "bad",
  overdue: "warn",
  replied: "good",
};

/** What waits for the agent: each with its reason, and the one thing that settles it. */
export function AttentionPanel() {
  return (
    <Panel title={text.attention}>
      <Loaded query={useAttention()}>
        {({ kinds }) => {
          const waiting = kinds.filter(({ count }) => count > 0);
          if (waiting.length === 0) {
            return <Empty title={text.nothingWaits}>{text.nothingWaitsHint}</Empty>;
          }
          return (
            <ul className="grid gap-4">
              {waiting.map((group) => (
                <Kind key={group.kind} group={group} />
              ))}
            </ul>
          );
        }}
      </Loaded>
    </Panel>
  );
}

function Kind({ group: { kind, count, items } }: { group: Group }) {
  return (
    <li>
      <h3 className="mb-1 flex items-center gap-2 text-sm font-medium">
        <Badge tone={TONES[kind]}>{names.attention[kind]}</Badge>
        <span>{count}</span>
      </h3>
      <ul className="divide-y divide-line">
        {items.map((item) => (
          <li
            key={item.task_id ?? item.client_id}
            className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 py-2"
          >
            <div className="min-w-0 flex-1 basis-52">
              <p>
                <Link href={clientPage(item.client_id)} className="font-medium underline">
                  {item.client_name}
                </Link>
                {item.step && <span className="text-soft"> · {item.step}</span>}
              </p>
              <p className="text-sm text-soft">
                {item.reason}, {text.since(fromNow(item.since))}
              </p>
            </div>
            <AttentionAction kind={kind} item={item} />
          </li>
        ))}
      </ul>
      {count > items.length && (
        <p className="pt-1 text-sm text-soft">{text.more(count - items.length)}</p>
      )}
    </li>
  );
}
