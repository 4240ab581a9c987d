// Prints what is wrong with an AsyncAPI document: asyncapi_errors.mjs FOLDER_OF_NODE_MODULES FILE
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const WARNING = 1;
const [folder, file] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const { Parser } = require("@asyncapi/parser");
const { document, diagnostics } = await new Parser().parse(readFileSync(file, "utf8"));
for (const { severity, path, message } of diagnostics) {
  if (severity <= WARNING) console.log(`${path.join(".")}: ${message}`);
}

// The parser does not hold examples of version 3 against their schemas, so its ajv does here.
const ajv = new (require("ajv").default)({ strict: false, allErrors: true });
require("ajv-formats").default(ajv);
for (const message of document?.allMessages() ?? []) {
  for (const example of message.examples()) {
    for (const part of ["headers", "payload"]) {
      if (!ajv.validate(message[part]().json(), example[part]())) {
        console.log(`${message.name()}: ${ajv.errorsText(ajv.errors, { dataVar: part })}`);
      }
    }
  }
}
