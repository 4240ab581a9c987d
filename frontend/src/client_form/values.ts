import type { Schemas } from "@/api/client";

const REQUIRED = ["name", "email", "stage", "property_type"] as const;
const OPTIONAL = [
  "phone",
  "property_address",
  "notes",
  "greeting",
  "language",
  "time_zone",
  "source",
  "lead_since",
  "review",
] as const;

/** The fields of a client that forms show. */
export const FIELDS = [...REQUIRED, ...OPTIONAL] as const;

export type FieldName = (typeof FIELDS)[number];

/** What a form has in its fields; an optional one that is empty is "". */
export type ClientValues = Record<
  Exclude<FieldName, "stage" | "property_type" | "review">,
  string
> & {
  stage: Schemas["Stage"];
  property_type: Schemas["PropertyType"];
  review: Schemas["Review"] | "";
};

/** A new client, before anything is typed. */
export const NO_VALUES: ClientValues = {
  name: "",
  email: "",
  stage: "lead",
  property_type: "residential",
  phone: "",
  property_address: "",
  notes: "",
  greeting: "",
  language: "",
  time_zone: "",
  source: "",
  lead_since: "",
  review: "",
};

/** Return what the fields show of a client. */
export function valuesOf(client: Schemas["ClientView"]): ClientValues {
  const optional = OPTIONAL.map((field) => [field, client[field] ?? ""]);
  const { name, email, stage, property_type } = client;
  return { ...NO_VALUES, ...Object.fromEntries(optional), name, email, stage, property_type };
}

/** Return what is typed differs from `before`, as the API takes it: null empties a field. */
export function changesOf(before: ClientValues, typed: ClientValues): Schemas["ClientPatch"] {
  const changed = FIELDS.filter((field) => before[field] !== typed[field]);
  return Object.fromEntries(
    changed.map((field) => [field, isOptional(field) ? typed[field] || null : typed[field]]),
  );
}

/** Return the client to add, without the fields that are empty. */
export function newClientOf({ name, email, ...rest }: ClientValues): Schemas["NewClient"] {
  const filled = Object.entries(rest).filter(([, value]) => value !== "");
  return { name, email, ...Object.fromEntries(filled) };
}

/** Return the fields that somebody else has changed meanwhile, to something other than is typed. */
export function conflictsOf(
  before: ClientValues,
  typed: ClientValues,
  now: ClientValues,
): FieldName[] {
  return FIELDS.filter((field) => now[field] !== before[field] && now[field] !== typed[field]);
}

/** Return what is typed, with the present values of the fields that only others have changed. */
export function merged(before: ClientValues, typed: ClientValues, now: ClientValues): ClientValues {
  const kept = FIELDS.filter((field) => typed[field] !== before[field]);
  return { ...now, ...Object.fromEntries(kept.map((field) => [field, typed[field]])) };
}

function isOptional(field: FieldName): boolean {
  return (OPTIONAL as readonly FieldName[]).includes(field);
}
