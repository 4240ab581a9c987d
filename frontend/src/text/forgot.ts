export const text = {
  title: "Set a new password",
  hint: "We mail you a link to choose a new one. It works once, within an hour.",
  email: "Email you log in with",
  send: "Send the link",
  sentTitle: "Look at your mailbox",
  sent: (email: string) =>
    `If there is an account under ${email}, a link is on its way to it. Nothing there after some minutes? Look among spam, or ask an admin of your office.`,
  backToLogIn: "Back to log-in",
} as const;
