import { useId, useState } from "react";
import { type Schemas, written } from "@/api/client";
import { text } from "@/text/client";
import { names } from "@/text/common";
import { useAct } from "@/ui/act";
import { Confirm } from "@/ui/confirm";
import { inputClasses } from "@/ui/field";
import { type Client, changeClient, usePlan } from "./queries";

type Stage = Schemas["Stage"];

/** The client's stage, to be changed at once; one that ends the plan is asked about first. */
export function StageSelect({ client }: { client: Client }) {
  const id = useId();
  const pending = usePlan(client._id).data?.pending ?? 0;
  const [asked, setAsked] = useState<Stage>();
  const change = (stage: Stage) => written(changeClient(client._id, { stage }));
  const told = (stage: Stage) => text.stageChanged(names.stage[stage]);
  const { mutate, isPending, variables } = useAct(change, told);
  const choose = (stage: Stage) => {
    const isEnd = stage === "closed" || stage === "lost";
    if (isEnd && pending > 0) setAsked(stage);
    else mutate(stage);
  };
  return (
    <div>
      <label htmlFor={id} className="sr-only">
        {text.stage}
      </label>
      <select
        id={id}
        className={`${inputClasses} w-auto!`}
        value={isPending ? variables : client.stage}
        disabled={isPending}
        onChange={({ target }) => choose(target.value as Stage)}
      >
        {Object.entries(names.stage).map(([stage, name]) => (
          <option key={stage} value={stage}>
            {name}
          </option>
        ))}
      </select>
      {asked && (
        <Confirm
          title={text.endTitle(names.stage[asked])}
          label={text.setStage}
          act={() => change(asked)}
          done={told(asked)}
          onClose={() => setAsked(undefined)}
        >
          {text.endHint(pending)}
        </Confirm>
      )}
    </div>
  );
}
