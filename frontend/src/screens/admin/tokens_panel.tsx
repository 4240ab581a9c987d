import { useQuery } from "@tanstack/react-query";
import { api, read, type Schemas } from "@/api/client";
import { text } from "@/text/admin";
import { Loaded } from "@/ui/loaded";
import { Empty, Panel } from "@/ui/parts";
import { Table } from "@/ui/table";
import { AgentName } from "./agent_name";

/** What the language model was given and has written, by agent. */
export function TokensPanel() {
  const query = useQuery({
    queryKey: ["tokens"],
    queryFn: () => read(api.GET("/api/admin/tokens")),
  });
  return (
    <Panel title={text.tokens}>
      <p className="mb-3 text-sm text-soft">{text.tokensHint}</p>
      <Loaded query={query}>
        {(all) =>
          all.prompt + all.completion === 0 ? (
            <Empty title={text.noTokens} />
          ) : (
            <Table label={text.tokens} columns={[text.agent, text.prompt, text.completion]}>
              {all.agents.map((agent) => (
                <tr key={agent.agent_id}>
                  <th scope="row">
                    <AgentName id={agent.agent_id} />
                  </th>
                  <Counts of={agent} />
                </tr>
              ))}
              <tr className="font-medium">
                <th scope="row">{text.all}</th>
                <Counts of={all} />
              </tr>
            </Table>
          )
        }
      </Loaded>
    </Panel>
  );
}

function Counts({ of: { prompt, completion } }: { of: Schemas["TokenCounts"] }) {
  return [prompt, completion].map((count, index) => (
    <td key={index === 0 ? "prompt" : "completion"} className="tabular-nums">
      {count.toLocaleString("en")}
    </td>
  ));
}
