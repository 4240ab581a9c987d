import { api, read, type Schemas } from "@/api/client";
import { ApiProblem } from "@/api/problem";

/** How the file is to be read. */
export interface Reading {
  /** Empty where it is recognised. */
  charset: string;
  /** What columns mean, by title, where the agent has said it. */
  mapping: Readonly<Record<string, string>>;
  onKnown: Schemas["OnKnownClient"];
}

/** A form that is always sent as the same bytes, since its Idempotency-Key stands for them. */
export interface Upload {
  type: string;
  bytes: ArrayBuffer;
}

export async function uploadOf(file: File, reading: Reading): Promise<Upload> {
  const form = new FormData();
  form.set("file", file);
  form.set("on_known", reading.onKnown);
  if (reading.charset) form.set("charset", reading.charset);
  if (Object.keys(reading.mapping).length > 0) form.set("mapping", JSON.stringify(reading.mapping));
  const encoded = new Response(form);
  return {
    type: encoded.headers.get("Content-Type") ?? "",
    bytes: await encoded.arrayBuffer(),
  };
}

/** Return what would become of the file. */
export function check(upload: Upload): Promise<Schemas["ImportReport"]> {
  return post(upload, { query: { dry_run: true } });
}

/** Import the file; with the same key never twice. */
export function carryOut(upload: Upload, key: string): Promise<Schemas["ImportReport"]> {
  return post(upload, { header: { "Idempotency-Key": key } });
}

function post(
  upload: Upload,
  params: { query?: { dry_run: boolean }; header?: { "Idempotency-Key": string } },
) {
  return read(
    api.POST("/api/clients/import", {
      params,
      headers: { "Content-Type": upload.type },
      body: { file: "" },
      bodySerializer: () => upload.bytes,
    }),
  );
}

/** What the API has against the file, and what the agent can do about it here. */
export function refusalOf(
  error: unknown,
): { reason: string; mends?: "charset" | "columns" } | null {
  const reason = error instanceof ApiProblem ? error.fields.get("file") : undefined;
  if (!reason) return null;
  if (/charset/i.test(reason)) return { reason, mends: "charset" };
  if (/column for an email|the mapping/i.test(reason)) return { reason, mends: "columns" };
  return { reason };
}
