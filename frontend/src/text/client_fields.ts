/** The fields of a client, as forms name them. */
export const text = {
  labels: {
    name: "Name",
    email: "Email",
    phone: "Phone",
    stage: "Stage",
    property_type: "Property type",
    property_address: "Property address",
    notes: "Notes",
    greeting: "Greeting",
    language: "Language",
    time_zone: "Time zone",
    source: "Source",
    lead_since: "Lead since",
    review: "Letters",
  },
  hints: {
    notes: "The letters are written with them in mind.",
    greeting: "The name to greet with, such as “Ms. Alvarez”.",
    language: "Of the letters, such as en or es.",
    time_zone: "Such as America/New_York. Yours if it is empty.",
  },
  review: {
    "": "As in my settings",
    automatic: "Sent as written",
    approve: "I approve each",
  },
  more: "More",
  sequence: "Plan",
  suggested: (name: string | undefined) =>
    name ? `${name} (suggested for this stage)` : "None is suggested for this stage",
  choosePlan: "Choose a plan",
  sequenceSteps: (steps: string[]) =>
    `${steps.length} ${steps.length === 1 ? "letter" : "letters"}: ${steps.join(", ")}`,
} as const;
