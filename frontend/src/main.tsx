import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createQueryClient, meQuery } from "@/api/queries";
import { App, loadShown } from "@/pages/app";
import { applyTheme, chosenTheme } from "@/shell/theme";
import "./styles.css";

/** Show the page of the address once its screen and, inside, the agent is there. */
async function start(): Promise<void> {
  applyTheme(chosenTheme());
  const { pathname, search } = window.location;
  const client = createQueryClient();
  const first = await loadShown(pathname, search.slice(1));
  if (first.page.isInside) await client.prefetchQuery({ ...meQuery, retry: false });
  createRoot(document.getElementById("root") as HTMLElement).render(
    <StrictMode>
      <App client={client} first={first} />
    </StrictMode>,
  );
}

void start();
