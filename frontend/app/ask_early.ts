import { preload } from "react-dom";

/** Let the browser ask the API for these while it loads the scripts that will. */
export function askEarly(...paths: string[]): void {
  for (const path of paths) preload(path, { as: "fetch", crossOrigin: "anonymous" });
}
