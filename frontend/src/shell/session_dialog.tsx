import { LogInForm } from "@/session/log_in_form";
import { confirmLogIn, goToLogin } from "@/session/session";
import { text } from "@/text/shell";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { useAgent } from "./me";

/** Log in again over the page, when the session has ended: the same agent, or the page is left. */
export function SessionDialog() {
  const me = useAgent();
  return (
    <Dialog title={text.sessionEnded} isOpen>
      <p className="mb-4 text-sm text-soft">{text.sessionEndedHint}</p>
      <LogInForm email={me.login} onDone={confirmLogIn} />
      <Button look="quiet" className="mt-3 w-full" onClick={() => goToLogin()}>
        {text.otherAgent}
      </Button>
    </Dialog>
  );
}
