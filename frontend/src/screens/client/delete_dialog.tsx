import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, read, written } from "@/api/client";
import { reasonOf } from "@/api/problem";
import { refreshAll } from "@/api/queries";
import { leavingClients } from "@/client_form/leaving";
import { useNavigation } from "@/navigation";
import { text } from "@/text/client";
import { text as common } from "@/text/common";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Loaded } from "@/ui/loaded";
import { tell, tellUndoable } from "@/ui/toast";
import type { Client } from "./queries";

/** Say what a deletion deletes; then go to the list, where it can be undone for ten seconds. */
export function DeleteDialog({ client, onClose }: { client: Client; onClose(): void }) {
  const { go } = useNavigation();
  const queries = useQueryClient();
  const params = { path: { client_id: client._id } };
  const deletion = useQuery({
    queryKey: ["clients", client._id, "deletion"],
    queryFn: () => read(api.GET("/api/clients/{client_id}/deletion", { params })),
  });
  const carryOut = async () => {
    try {
      // The page may be left at this moment: the request goes on.
      await written(api.DELETE("/api/clients/{client_id}", { params, keepalive: true }));
    } catch (error) {
      tell(reasonOf(error, common.unreachable), "problem");
    }
    leavingClients.remove(client._id);
    refreshAll(queries);
  };
  const remove = () => {
    leavingClients.add(client._id);
    onClose();
    go("/clients/");
    tellUndoable(
      text.removing(client.name),
      () => void carryOut(),
      () => leavingClients.remove(client._id),
    );
  };
  return (
    <Dialog title={text.removeTitle(client.name)} isOpen onClose={onClose}>
      <Loaded query={deletion}>
        {({ tasks_cancelled, emails_erased }) => (
          <>
            <ul className="mb-5 grid list-disc gap-1 pl-5 text-sm">
              {text.removeHint(tasks_cancelled, emails_erased).map((words) => (
                <li key={words}>{words}</li>
              ))}
            </ul>
            <div className="flex flex-wrap justify-end gap-2">
              <Button onClick={onClose}>{common.back}</Button>
              <Button look="danger" onClick={remove}>
                {text.remove}
              </Button>
            </div>
          </>
        )}
      </Loaded>
    </Dialog>
  );
}
