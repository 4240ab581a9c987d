export const text = {
  title: "Log in",
  email: "Email",
  password: "Password",
  code: "Code",
  codeHint: "The six digits of your authenticator app, or a recovery code.",
  logIn: "Log in",
  wrong: "Email, password or code are not right.",
  forgotten: "Forgot your password?",
  register: "Create an account",
  onceGone: "This link has been used, or is older than its ten minutes. Log in with your password.",
  onceOpening: "Logging you in …",
} as const;
