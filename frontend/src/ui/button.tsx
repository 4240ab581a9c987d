import type { ButtonHTMLAttributes } from "react";

type Look = "main" | "plain" | "quiet" | "danger";

const LOOKS: Record<Look, string> = {
  main: "bg-accent text-accent-ink border-transparent hover:brightness-110",
  plain: "bg-surface text-ink border-edge hover:bg-sunken",
  quiet: "bg-transparent text-accent border-transparent hover:bg-sunken",
  danger: "bg-surface text-bad border-bad hover:bg-bad-wash",
};

/** The classes of what looks like a button; a link may, too. */
export function buttonClasses(look: Look = "plain"): string {
  return `inline-flex min-h-9 items-center justify-center gap-2 rounded-box border px-3 py-1.5 text-sm font-medium disabled:opacity-60 ${LOOKS[look]}`;
}

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
  /** Something is on its way: it cannot be pressed a second time. */
  isBusy?: boolean;
}

export function Button({ look, isBusy = false, className = "", disabled, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      aria-busy={isBusy}
      disabled={disabled || isBusy}
      className={`${buttonClasses(look)} ${className}`}
      {...rest}
    />
  );
}
