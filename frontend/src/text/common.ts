/** Words of no screen in particular. Words of a screen stand in a file of its name beside this one. */
export const text = {
  product: "RealtorOS",
  close: "Close",
  cancel: "Cancel",
  back: "Back",
  save: "Save",
  undo: "Undo",
  tryAgain: "Try again",
  unreachable: "The server cannot be reached. What you see may be out of date.",
  perhapsDone:
    "What was sent before may have been carried out. Look, before you send it once more.",
  loading: "Loading",
  loadMore: "Load more",
  pages: "Pages",
  previous: "Previous",
  next: "Next",
  rows: (from: number, to: number, total: string) =>
    `${from.toLocaleString("en")} to ${to.toLocaleString("en")} of ${total}`,
} as const;

/** The API's names, in the words of people. */
export const names = {
  stage: {
    lead: "Lead",
    negotiating: "Negotiating",
    under_contract: "Under contract",
    closed: "Closed",
    lost: "Lost",
  },
  clientSort: {
    "-created_at": "Newest first",
    created_at: "Oldest first",
    name: "Name, A to Z",
    "-name": "Name, Z to A",
    "-last_contacted": "Contacted last",
    last_contacted: "Longest not contacted",
  },
  propertyType: {
    residential: "Residential",
    commercial: "Commercial",
    land: "Land",
    other: "Other",
  },
  priority: { high: "High", medium: "Medium", low: "Low" },
  taskStatus: {
    pending: "Pending",
    due: "Due",
    written: "Written",
    composed: "Ready to send",
    sent: "Sent ✓",
    failed: "Failed",
    cancelled: "Cancelled",
    withheld: "Withheld",
    unknown: "Unknown",
  },
  emailStatus: {
    queued: "Queued",
    sent: "Sent",
    failed: "Failed",
    withheld: "Withheld",
    unknown: "Unknown",
    delivered: "Delivered",
    opened: "Opened",
    clicked: "Clicked",
    bounced: "Bounced",
  },
  attention: {
    approve: "To approve",
    flagged: "Not fit to send",
    failed: "Failed",
    unknown: "Unknown outcome",
    overdue: "Overdue",
    replied: "Replied",
  },
  suppression: {
    bounced: "Address bounced",
    unsubscribed: "Opted out",
    spam_report: "Reported as spam",
  },
} as const;
