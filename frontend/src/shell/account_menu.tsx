import { useId, useState } from "react";
import { api, type Schemas } from "@/api/client";
import { Link } from "@/navigation";
import { goToLogin, tellLogOut } from "@/session/session";
import { text } from "@/text/shell";
import { Button, buttonClasses } from "@/ui/button";
import { useAgent } from "./me";
import { chooseTheme, chosenTheme, type Theme } from "./theme";

const THEMES = ["system", "light", "dark"] as const;

/** The pages of the account: what the agent decides, and for admins what they see to. */
export function accountPages(role: Schemas["Role"]): [href: string, label: string][] {
  const settings: [string, string] = ["/settings/", text.settings];
  return role === "admin" ? [settings, ["/admin/", text.admin]] : [settings];
}

/** Who is logged in, the pages of the account, the theme, and the way out. */
export function AccountMenu() {
  const me = useAgent();
  const id = useId();
  const logOut = async () => {
    await api.POST("/api/auth/logout");
    tellLogOut();
    goToLogin();
  };
  return (
    <>
      <button type="button" popoverTarget={id} className={buttonClasses()}>
        <span className="sr-only">{text.account}:</span>
        <span className="max-w-40 truncate">{me.name}</span>
      </button>
      <div
        id={id}
        popover="auto"
        className="inset-auto top-14 right-3 m-0 w-56 rounded-box border border-line bg-surface p-4 text-ink shadow-xl"
      >
        <p className="mb-3 truncate text-sm text-soft">{me.login}</p>
        <ul className="mb-3 grid text-sm">
          {accountPages(me.role).map(([href, label]) => (
            <li key={href}>
              <Link
                href={href}
                onClick={() => document.getElementById(id)?.hidePopover()}
                className="-mx-2 flex min-h-9 items-center rounded-box px-2 hover:bg-sunken"
              >
                {label}
              </Link>
            </li>
          ))}
        </ul>
        <ThemeChoice />
        <Button className="mt-3 w-full" onClick={() => void logOut()}>
          {text.logOut}
        </Button>
      </div>
    </>
  );
}

function ThemeChoice() {
  const [theme, setTheme] = useState(chosenTheme);
  const choose = (value: Theme) => {
    setTheme(value);
    chooseTheme(value);
  };
  return (
    <fieldset className="grid gap-1 text-sm">
      <legend className="mb-1 font-medium">{text.theme}</legend>
      {THEMES.map((value) => (
        <label key={value} className="flex min-h-7 items-center gap-2">
          <input
            type="radio"
            name="theme"
            checked={theme === value}
            onChange={() => choose(value)}
          />
          {text.themes[value]}
        </label>
      ))}
    </fieldset>
  );
}
