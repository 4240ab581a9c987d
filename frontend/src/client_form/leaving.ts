import { createStore } from "@/store";

const store = createStore<ReadonlySet<string>>(new Set());

/** The clients whose deletion can still be undone. */
export const leavingClients = {
  ...store,
  add(id: string): void {
    store.set(new Set([...store.get(), id]));
  },
  remove(id: string): void {
    store.set(new Set([...store.get()].filter((each) => each !== id)));
  },
};
