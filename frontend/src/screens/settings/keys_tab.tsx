import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, readPage, type Schemas, written } from "@/api/client";
import { useZone } from "@/shell/me";
import { text } from "@/text/settings";
import { dateTime } from "@/time/zone";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { Loaded } from "@/ui/loaded";
import { Badge, Empty, Panel } from "@/ui/parts";
import { Table } from "@/ui/table";
import { NewKeyDialog } from "./new_key_dialog";

type Key = Schemas["ApiKey"];

/** An agent has no more. */
const MOST = 50;
const SCOPES = Object.keys(text.scopes) as Schemas["Scope"][];
const COLUMNS = [
  text.keyName,
  text.keyScopes,
  text.created,
  text.lastUsed,
  text.expires,
  text.actions,
];

/** Keys of programs that use the API in the agent's name. */
export function KeysTab() {
  const [isNew, setNew] = useState(false);
  const [revoked, setRevoked] = useState<Key>();
  const query = useQuery({
    queryKey: ["keys"],
    queryFn: () => readPage(api.GET("/api/keys", { params: { query: { limit: MOST } } })),
  });
  return (
    <Panel
      title={text.keysTitle}
      aside={
        <Button look="main" onClick={() => setNew(true)}>
          {text.newKey}
        </Button>
      }
    >
      <p className="mb-3 text-sm text-soft">{text.keysHint}</p>
      <Loaded query={query}>
        {({ rows }) =>
          rows.length === 0 ? (
            <Empty title={text.noKeys}>{text.noKeysHint}</Empty>
          ) : (
            <Table label={text.keysTitle} columns={COLUMNS}>
              {rows.map((key) => (
                <KeyRow key={key._id} apiKey={key} onRevoke={() => setRevoked(key)} />
              ))}
            </Table>
          )
        }
      </Loaded>
      {isNew && <NewKeyDialog onClose={() => setNew(false)} />}
      {revoked && (
        <Confirm
          title={text.revokeTitle(revoked.name)}
          label={text.revoke}
          isDanger
          act={() =>
            written(api.DELETE("/api/keys/{key_id}", { params: { path: { key_id: revoked._id } } }))
          }
          done={text.revoked}
          onClose={() => setRevoked(undefined)}
        >
          {text.revokeHint}
        </Confirm>
      )}
    </Panel>
  );
}

function KeyRow({ apiKey, onRevoke }: { apiKey: Key; onRevoke(): void }) {
  const zone = useZone();
  const shown = (instant: string | null, otherwise: string) =>
    instant ? dateTime(instant, zone) : otherwise;
  return (
    <tr>
      <th scope="row">{apiKey.name}</th>
      <td>
        <span className="flex gap-1">
          {SCOPES.filter((scope) => apiKey.scopes.includes(scope)).map((scope) => (
            <Badge key={scope}>{text.scopes[scope]}</Badge>
          ))}
        </span>
      </td>
      <td className="whitespace-nowrap">{dateTime(apiKey.created_at, zone)}</td>
      <td className="whitespace-nowrap">{shown(apiKey.last_used_at, text.never)}</td>
      <td className="whitespace-nowrap">{shown(apiKey.expires_at, text.untilRevoked)}</td>
      <td>
        <Button look="danger" onClick={onRevoke}>
          {text.revoke} <span className="sr-only">{apiKey.name}</span>
        </Button>
      </td>
    </tr>
  );
}
