// Writes FILE.br and FILE.gz beside each file of the export that is text; the gateway sends them.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, gzip } from "node:zlib";

const TEXT = /\.(css|html|js|json|svg|txt|webmanifest)$/;
const [folder] = process.argv.slice(2);
const files = (await readdir(folder, { recursive: true })).filter((name) => TEXT.test(name));

await Promise.all(
  files.map(async (name) => {
    const path = join(folder, name);
    const content = await readFile(path);
    await writeFile(`${path}.br`, await promisify(brotliCompress)(content));
    await writeFile(`${path}.gz`, await promisify(gzip)(content, { level: 9 }));
  }),
);
