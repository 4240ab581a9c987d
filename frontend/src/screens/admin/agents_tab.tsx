import { type ReactNode, useState } from "react";
import type { Schemas } from "@/api/client";
import { useAgent, useZone } from "@/shell/me";
import { text } from "@/text/admin";
import { day } from "@/time/zone";
import { Button } from "@/ui/button";
import { Loaded } from "@/ui/loaded";
import { Pager, usePage } from "@/ui/pager";
import { Badge, Panel } from "@/ui/parts";
import { Table } from "@/ui/table";
import { AccountDialog } from "./account_dialog";
import { ActivationDialog } from "./activation_dialog";
import { AddAgentDialog } from "./add_agent_dialog";
import { AGENTS_ON_A_PAGE, useAgents } from "./agents";
import { MoveClientsDialog } from "./move_clients_dialog";

type Account = Schemas["AccountView"];
type Action = "account" | "activation" | "move";

const COLUMNS = [text.email, text.role, text.state, text.factor, text.added, text.actions];

/** The accounts of all agents. */
export function AgentsTab() {
  const [page, goTo] = usePage();
  const [isNew, setNew] = useState(false);
  const [open, setOpen] = useState<{ action: Action; account: Account }>();
  const close = () => setOpen(undefined);
  const query = useAgents(page);
  return (
    <Panel
      title={text.agents}
      aside={
        <Button look="main" onClick={() => setNew(true)}>
          {text.addAgent}
        </Button>
      }
    >
      <Loaded query={query}>
        {({ rows, total }) => (
          <>
            <Table label={text.agents} columns={COLUMNS}>
              {rows.map((account) => (
                <Row
                  key={account._id}
                  account={account}
                  onAct={(action) => setOpen({ action, account })}
                />
              ))}
            </Table>
            <Pager limit={AGENTS_ON_A_PAGE} total={total} page={page} onPage={goTo} />
          </>
        )}
      </Loaded>
      {isNew && <AddAgentDialog onClose={() => setNew(false)} />}
      {open?.action === "account" && <AccountDialog account={open.account} onClose={close} />}
      {open?.action === "activation" && <ActivationDialog account={open.account} onClose={close} />}
      {open?.action === "move" && <MoveClientsDialog account={open.account} onClose={close} />}
    </Panel>
  );
}

function Row({ account, onAct }: { account: Account; onAct(action: Action): void }) {
  const zone = useZone();
  const isMe = useAgent().id === account._id;
  return (
    <tr>
      <th scope="row">
        {account.email} {isMe && <span className="font-normal text-soft">({text.you})</span>}
      </th>
      <td>{text.roles[account.role]}</td>
      <td>
        <Badge tone={account.active ? "good" : "plain"}>
          {account.active ? text.active : text.inactive}
        </Badge>
      </td>
      <td>{account.second_factor ? text.hasFactor : text.noFactor}</td>
      <td className="whitespace-nowrap">{day(account.created_at, zone)}</td>
      <td>
        <div className="flex gap-2">
          <Act of={account} onAct={() => onAct("move")}>
            {text.move}
          </Act>
          {!isMe && (
            <>
              <Act of={account} onAct={() => onAct("account")}>
                {text.changeAccount}
              </Act>
              <Act
                of={account}
                look={account.active ? "danger" : "plain"}
                onAct={() => onAct("activation")}
              >
                {account.active ? text.deactivate : text.reactivate}
              </Act>
            </>
          )}
        </div>
      </td>
    </tr>
  );
}

interface ActProps {
  of: Account;
  look?: "plain" | "danger";
  onAct(): void;
  children: ReactNode;
}

function Act({ of: { email }, look = "plain", onAct, children }: ActProps) {
  return (
    <Button look={look} className="whitespace-nowrap" onClick={onAct}>
      {children}
      <span className="sr-only"> {email}</span>
    </Button>
  );
}
