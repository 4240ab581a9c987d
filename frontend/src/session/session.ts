import { createStore } from "@/store";

/** Whether the log-in dialog is to be shown over the page, since the session has ended. */
export const sessionEnded = createStore(false);

/** Whose page this is; null before it is known. */
export const sessionOwner = createStore<string | null>(null);

const CHANNEL = "realtoros-session";

let loggedIn: Promise<void> | undefined;
let resolveLoggedIn: (() => void) | undefined;

/**
 * Wait until the agent has logged in again, in a dialog over the page, so that nothing typed is
 * lost. Where no agent was logged in, this goes to the log-in page and never returns.
 */
export function logInAgain(): Promise<void> {
  if (sessionOwner.get() === null) {
    goToLogin(window.location.pathname + window.location.search);
    return new Promise(() => undefined);
  }
  loggedIn ??= new Promise((resolve) => {
    resolveLoggedIn = resolve;
  });
  sessionEnded.set(true);
  return loggedIn;
}

/** The agent has logged in again: what waited goes on. */
export function confirmLogIn(): void {
  resolveLoggedIn?.();
  loggedIn = undefined;
  sessionEnded.set(false);
}

/** Go to the log-in page, and from there back to the address. */
export function goToLogin(to?: string): void {
  const isHome = to === undefined || to === "/";
  window.location.assign(isHome ? "/login/" : `/login/?to=${encodeURIComponent(to)}`);
}

/** Tell the browser's other tabs that the agent has logged out: they show nothing any more. */
export function tellLogOut(): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage("out");
  channel.close();
}

/** Leave the page when the agent logs out in another tab; return what stops it. */
export function followLogOut(): () => void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = () => goToLogin();
  return () => channel.close();
}
