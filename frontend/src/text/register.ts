export const text = {
  title: "Create an account",
  name: "Your name",
  nameHint: "Your letters are signed with it.",
  email: "Email",
  password: "Password",
  passwordHint: "At least 12 characters: several unrelated words are good.",
  zone: "Time zone",
  zoneHint: "Of this device. Type a city to choose another.",
  create: "Create account",
  logIn: "Log in instead",
  closedTitle: "Registration is closed",
  closed: "Accounts are added by an admin of your office: ask for one.",
  sentTitle: "Look at your mailbox",
  sent: (email: string) =>
    `A link is on its way to ${email}. Open it within an hour and enter your password; then you can log in.`,
  backToLogIn: "Back to log-in",
} as const;
