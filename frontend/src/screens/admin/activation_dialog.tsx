import { api, type Schemas, written } from "@/api/client";
import { text } from "@/text/admin";
import { Confirm } from "@/ui/confirm";

interface ActivationProps {
  account: Schemas["AccountView"];
  onClose(): void;
}

/** Deactivate an agent, or reactivate one. */
export function ActivationDialog({ account, onClose }: ActivationProps) {
  const { active, email } = account;
  const params = { path: { agent_id: account._id } };
  return (
    <Confirm
      title={active ? text.deactivateTitle(email) : text.reactivateTitle(email)}
      label={active ? text.deactivate : text.reactivate}
      isDanger={active}
      act={() =>
        written(api.PATCH("/api/admin/agents/{agent_id}", { params, body: { active: !active } }))
      }
      done={active ? text.deactivated : text.reactivated}
      onClose={onClose}
    >
      {active ? text.deactivateHint : text.reactivateHint}
    </Confirm>
  );
}
