import { createStore } from "@/store";

/** How the page keeps up: by the stream, by asking every few seconds, or not at all since a time. */
export type Connection =
  | { mode: "connecting" }
  | { mode: "live" }
  | { mode: "polling" }
  | { mode: "offline"; since: Date };

export const connection = createStore<Connection>({ mode: "connecting" });

let streamIsOpen = false;

/** The stream of events was opened or lost. */
export function reportStream(isOpen: boolean): void {
  streamIsOpen = isOpen;
  if (isOpen) connection.set({ mode: "live" });
  else if (connection.get().mode !== "offline") connection.set({ mode: "polling" });
}

/** What was asked at the time has been answered. */
export function reportReachable(asked: Date): void {
  const state = connection.get();
  if (state.mode === "offline" && asked > state.since) {
    connection.set({ mode: streamIsOpen ? "live" : "polling" });
  }
}

export function reportUnreachable(): void {
  if (connection.get().mode !== "offline") connection.set({ mode: "offline", since: new Date() });
}
