import { createContext, useContext } from "react";
import type { Schemas } from "@/api/client";

export type Me = Schemas["AgentView"];

const Context = createContext<Me | null>(null);

export const MeProvider = Context.Provider;

/** The agent whose dashboard this is. */
export function useAgent(): Me {
  const me = useContext(Context);
  if (!me) throw new Error("there is no MeProvider above");
  return me;
}

/** The zone that all dates are shown and picked in. */
export function useZone(): string {
  return useAgent().time_zone;
}
