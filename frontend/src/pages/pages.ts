import type { ComponentType } from "react";
import pages from "./pages.json";

/** A page: its title, the screen it shows, and whether only who is logged in sees it. */
export type Page = (typeof pages)[number];

const BY_PATH = new Map(pages.map((page) => [page.path, page]));
const SCREENS = import.meta.glob<ComponentType>("../screens/*/*_screen.tsx", { import: "default" });

/** Return the page at the path; the one that says that there is none, where there is none. */
export function pageAt(path: string): Page {
  return BY_PATH.get(path.endsWith("/") ? path : `${path}/`) ?? (pages.at(-1) as Page);
}

/** Load the screen of the page; rejects when it cannot be had. */
export async function loadScreen({ screen }: Page): Promise<ComponentType> {
  const load = SCREENS[`../screens/${screen}.tsx`];
  if (!load) throw new Error(`there is no screen ${screen}`);
  return load();
}
