export const text = {
  title: "Addresses that get no emails",
  hint: "Nothing is sent to them, whatever is planned. They are those of your own clients.",
  filter: "Reason",
  all: "All reasons",
  none: "No address is suppressed",
  noneHint: "Who opts out, or whose address bounces, stands here.",
  address: "Address",
  reason: "Reason",
  source: "By",
  sources: { link: "the link in a letter", agent: "you", provider: "the mail provider" } as Record<
    string,
    string
  >,
  since: "Since",
  actions: "Actions",
  client: "Show the client",
  release: "Allow again",
  releaseTitle: (address: string) => `Send emails to ${address} again?`,
  releaseHint: "Do it only if the person has asked for it, or the address is right now.",
  why: "Why",
  whyHint: "It is kept in the client's timeline. After an opt-out it is needed.",
  released: "Emails to the address are allowed again",
} as const;
