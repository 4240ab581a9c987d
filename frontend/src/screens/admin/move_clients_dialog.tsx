import { useState } from "react";
import { useForm } from "react-hook-form";
import { api, read, type Schemas } from "@/api/client";
import { text } from "@/text/admin";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Form, useSubmit } from "@/ui/form";
import { Loaded } from "@/ui/loaded";
import { Pager } from "@/ui/pager";
import { Empty } from "@/ui/parts";
import { AGENTS_ON_A_PAGE, useAgents } from "./agents";

interface MoveProps {
  account: Schemas["AccountView"];
  onClose(): void;
}

/** Give all clients of an agent to another one, and tell what has become of them. */
export function MoveClientsDialog({ account, onClose }: MoveProps) {
  const [outcome, setOutcome] = useState<Schemas["Reassigned"]>();
  return (
    <Dialog title={text.moveTitle(account.email)} isOpen onClose={onClose}>
      {outcome ? (
        <Outcome outcome={outcome} onClose={onClose} />
      ) : (
        <MoveForm account={account} onDone={setOutcome} onClose={onClose} />
      )}
    </Dialog>
  );
}

interface MoveFormProps extends MoveProps {
  onDone(outcome: Schemas["Reassigned"]): void;
}

function MoveForm({ account, onDone, onClose }: MoveFormProps) {
  const [page, setPage] = useState(1);
  const { register, getValues } = useForm({ defaultValues: { to_agent_id: "" } });
  const query = useAgents(page);
  const submission = useSubmit(
    (key) => {
      const params = { path: { agent_id: account._id }, header: { "Idempotency-Key": key } };
      const body = getValues();
      return read(api.POST("/api/admin/agents/{agent_id}/reassign", { params, body }));
    },
    { onDone },
  );
  return (
    <Form submission={submission} label={text.move} shown={["to_agent_id"]} onCancel={onClose}>
      <p className="text-sm">{text.moveHint}</p>
      <fieldset className="text-sm">
        <legend className="mb-1 font-medium">{text.moveTo}</legend>
        <Loaded query={query}>
          {({ rows, total }) => {
            const others = rows.filter(({ _id, active }) => active && _id !== account._id);
            return (
              <>
                {others.length === 0 && <Empty title={text.noOther} />}
                {others.map(({ _id, email }) => (
                  <label key={_id} className="flex min-h-8 items-center gap-2">
                    <input type="radio" value={_id} {...register("to_agent_id")} />
                    {email}
                  </label>
                ))}
                <Pager limit={AGENTS_ON_A_PAGE} total={total} page={page} onPage={setPage} />
              </>
            );
          }}
        </Loaded>
        {submission.fields.get("to_agent_id") && (
          <p role="alert" className="text-bad">
            {submission.fields.get("to_agent_id")}
          </p>
        )}
      </fieldset>
    </Form>
  );
}

interface OutcomeProps {
  outcome: Schemas["Reassigned"];
  onClose(): void;
}

function Outcome({ outcome: { reassigned, refused, pending }, onClose }: OutcomeProps) {
  const reasons = [...new Set(refused.map(({ reason }) => reason))];
  return (
    <div role="status" className="grid gap-3 text-sm">
      <p>{text.moved(reassigned)}</p>
      {refused.length > 0 && (
        <>
          <p>{text.stayed(refused.length)}</p>
          <ul className="list-disc pl-5">
            {reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        </>
      )}
      {pending.length > 0 && <p>{text.movePending(pending.length)}</p>}
      <div className="flex justify-end">
        <Button look="main" onClick={onClose}>
          {text.done}
        </Button>
      </div>
    </div>
  );
}
