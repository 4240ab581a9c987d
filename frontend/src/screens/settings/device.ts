import { text } from "@/text/settings";

// Each browser also names those that it wants to be taken for: the first that fits is it.
const BROWSERS: readonly (readonly [string, RegExp])[] = [
  ["Edge", /\bEdgA?\//],
  ["Opera", /\bOPR\//],
  ["Firefox", /\b(Firefox|FxiOS)\//],
  ["Chrome", /\b(Headless)?(Chrome|CriOS)\//],
  ["Safari", /\bSafari\//],
];
const SYSTEMS: readonly (readonly [string, RegExp])[] = [
  ["iPhone", /\biPhone\b/],
  ["iPad", /\biPad\b/],
  ["Android", /\bAndroid\b/],
  ["Windows", /\bWindows\b/],
  ["macOS", /\bMacintosh\b/],
  ["Linux", /\bLinux\b/],
];

/** Return what the log-in was made with, as its User-Agent header tells: "Chrome on Windows". */
export function deviceOf(userAgent: string | null): string {
  if (!userAgent) return text.unknownDevice;
  const [browser, system] = [BROWSERS, SYSTEMS].map(
    (names) => names.find(([, mark]) => mark.test(userAgent))?.[0],
  );
  if (browser && system) return text.deviceOn(browser, system);
  return browser ?? system ?? userAgent;
}
