import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, type Schemas, written } from "@/api/client";
import { text } from "@/text/settings";
import { useSubmit } from "@/ui/form";

/** The profile as it is stored, and the tag that says which one it was. */
export interface StoredProfile {
  profile: Schemas["AgentView"];
  tag: string;
}

/** The profile, asked for whenever a form of it is opened. */
export function useProfile() {
  return useQuery({
    queryKey: ["profile"],
    queryFn: async (): Promise<StoredProfile | undefined> => {
      const { data, response } = await api.GET("/api/agents/me");
      return data && { profile: data, tag: response.headers.get("ETag") ?? "" };
    },
    gcTime: 0,
    meta: { still: true },
  });
}

/** Change some of the profile, unless somebody else has changed it meanwhile. */
export function useSaveProfile(tag: string, changes: () => Schemas["AgentPatch"]) {
  const client = useQueryClient();
  return useSubmit(
    async () => {
      const params = { header: { "If-Match": tag } };
      await written(api.PATCH("/api/agents/me", { params, body: changes() }));
      await client.invalidateQueries({ queryKey: ["profile"] });
      await client.invalidateQueries({ queryKey: ["me"] });
    },
    { done: text.saved },
  );
}

/** What a field that is empty means to the API. */
export function orNull(value: string): string | null {
  return value.trim() === "" ? null : value;
}
