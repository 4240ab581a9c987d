// Makes a file of each page from the one that Vite has built: its title, and what the browser may
// load at once, which it would find out one after the other.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

const OUT = "out";
const PRODUCT = "RealtorOS";
const template = await readFile(join(OUT, "index.html"), "utf8");
const manifest = JSON.parse(await readFile(join(OUT, ".vite/manifest.json"), "utf8"));
const pages = JSON.parse(await readFile("src/pages/pages.json", "utf8"));

/** Return the file of the module and of all that it imports at once. */
function filesOf(name, found = new Set()) {
  const { file, imports = [] } = manifest[name];
  if (found.has(file)) return found;
  found.add(file);
  for (const each of imports) filesOf(each, found);
  return found;
}

for (const { path, title, screen, isInside } of pages) {
  const [own, ...imported] = filesOf(`src/screens/${screen}.tsx`);
  const links = imported
    .filter((file) => !template.includes(file))
    .map((file) => `<link rel="modulepreload" crossorigin href="/${file}">`);
  // What each of these asks the API first.
  if (isInside) {
    links.push(
      '<link rel="preload" as="fetch" fetchpriority="low" crossorigin href="/api/agents/me">',
    );
  }
  const html = template
    .replace(`<title>${PRODUCT}</title>`, `<title>${title} · ${PRODUCT}</title>`)
    .replace("<script ", `<script type="module" crossorigin src="/${own}"></script>\n    <script `)
    .replace("</head>", `  ${links.join("\n    ")}\n  </head>`);
  const file = join(OUT, path.endsWith("/") ? `${path}index.html` : path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, html);
}
await rm(join(OUT, ".vite"), { recursive: true });
