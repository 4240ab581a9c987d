import { useEffect, useState } from "react";
import { Link, useNavigation } from "@/navigation";
import { LogInForm } from "@/session/log_in_form";
import { text } from "@/text/login";
import { Alert } from "@/ui/parts";
import { destination } from "./destination";

/** Log in, by password or by a one-time link; then go where the agent was going. */
export default function LoginScreen() {
  const { query } = useNavigation();
  const [token, setToken] = useState<string>();
  const [isLinkDead, setLinkDead] = useState(false);
  useEffect(() => {
    const found = /^#once=(.+)$/.exec(window.location.hash)?.[1];
    if (!found) return;
    setToken(found);
    // The token is not to stay in the browser's history.
    window.history.replaceState(null, "", "/login/");
  }, []);
  return (
    <section className="grid gap-4 rounded-box border border-line bg-surface p-6">
      <h1 className="text-xl font-semibold">{text.title}</h1>
      {isLinkDead && <Alert>{text.onceGone}</Alert>}
      <LogInForm
        token={token}
        onDeadToken={() => {
          setToken(undefined);
          setLinkDead(true);
        }}
        // The whole page anew, so that nothing of an agent before is in it.
        onDone={() => window.location.replace(destination(query.get("to")))}
      />
      <div className="flex flex-wrap justify-between gap-2 text-sm">
        <Link href="/forgot/" className="text-accent underline">
          {text.forgotten}
        </Link>
        <Link href="/register/" className="text-accent underline">
          {text.register}
        </Link>
      </div>
    </section>
  );
}
