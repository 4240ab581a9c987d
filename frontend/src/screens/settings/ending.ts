import type { Schemas } from "@/api/client";
import { text } from "@/text/settings";

type Profile = Pick<
  Schemas["AgentView"],
  "name" | "title" | "company" | "phone" | "signature" | "disclosure" | "postal_address"
>;

/** Return the paragraphs that a letter ends with, as they are added to it. */
export function endingOf(profile: Profile): string[] {
  return [
    paragraphs(profile.signature) || fromProfile(profile),
    paragraphs(profile.disclosure),
    paragraphs(profile.postal_address) || text.previewPostal,
  ]
    .filter(Boolean)
    .flatMap((part) => part.split("\n\n"));
}

function fromProfile({ name, title, company, phone }: Profile): string {
  const role = [title, company].map(line).filter(Boolean).join(", ");
  return [text.regards, line(name), role, line(phone)].filter(Boolean).join("\n");
}

function line(value: string | null): string {
  return (value ?? "").replace(/\s+/g, " ").trim();
}

function paragraphs(value: string | null): string {
  return (value ?? "")
    .replace(/\r\n?/g, "\n")
    .trim()
    .replace(/\n\s*\n/g, "\n\n");
}
