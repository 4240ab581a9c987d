// Uses the generated types on a running system: use.js URL API_KEY
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Client = components["schemas"]["ClientView"];
type Stage = components["schemas"]["Stage"];

const [, , baseUrl = "", key = ""] = process.argv;
const api = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });
const stage: Stage = "negotiating";
const email = "tess@typescript.example.com";

const created = await api.POST("/api/clients", { body: { name: "Tess Script", email, stage } });
assert(created.data && "client_id" in created.data, JSON.stringify(created.error));
const client_id = created.data.client_id;

const again = await api.POST("/api/clients", { body: { name: "Tess Again", email } });
assert.equal(again.error?.code, "duplicate_email");
assert.equal(again.error?.client_id, client_id);

const path = { client_id };
const tasks = await api.GET("/api/clients/{client_id}/tasks", { params: { path } });
assert.deepEqual(new Set(tasks.data?.map((task) => task.status)), new Set(["pending"]));

const changed = await api.PATCH("/api/clients/{client_id}", {
  params: { path },
  body: { notes: "Prefers mornings." },
});
assert(changed.data && "notes" in changed.data, JSON.stringify(changed.error));
const seen: Client = changed.data;
assert.equal(seen.notes, "Prefers mornings.");

const file = "name,email\nImre,imre@typescript.example.com\nNobody,\n";
const imported = await api.POST("/api/clients/import", {
  body: { file },
  bodySerializer: () => {
    const form = new FormData();
    form.set("file", new Blob([file]), "clients.csv");
    return form;
  },
});
assert.deepEqual([imported.data?.imported, imported.data?.refused], [1, 1]);

const listed = await api.GET("/api/clients", {
  params: { query: { stage: ["lead", stage], q: "typescript.example", sort: "name" } },
});
assert.deepEqual(listed.data?.map((one) => one.name), ["Imre", "Tess Script"]);
