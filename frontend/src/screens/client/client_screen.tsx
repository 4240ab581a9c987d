import { ApiProblem } from "@/api/problem";
import { Link, useNavigation } from "@/navigation";
import { text } from "@/text/client";
import { buttonClasses } from "@/ui/button";
import { Loaded } from "@/ui/loaded";
import { Empty, Skeleton } from "@/ui/parts";
import { Together } from "@/ui/together";
import { ClientHead } from "./client_head";
import { DetailsPanel } from "./details_panel";
import { EmailsPanel } from "./emails_panel";
import { PlanPanel } from "./plan_panel";
import { useClient } from "./queries";
import { TimelinePanel } from "./timeline_panel";

/** One client: who it is, what is planned, what was sent, what has happened. */
export default function ClientScreen() {
  const id = useNavigation().query.get("id") ?? "";
  // Of its own for each client: nothing of one is shown, or being typed, when another is gone to.
  return id ? <OneClient key={id} id={id} /> : <Gone />;
}

function OneClient({ id }: { id: string }) {
  const query = useClient(id);
  if (query.error instanceof ApiProblem && query.error.status === 404) return <Gone />;
  return (
    <>
      <Link href="/clients/" className="mb-2 inline-block min-h-6 text-sm text-accent">
        <span aria-hidden>← </span>
        {text.allClients}
      </Link>
      <Loaded query={query} skeleton={<Skeleton className="h-[70dvh]" />}>
        {(tagged) => (
          <Together>
            <ClientHead {...tagged} />
            <PlanPanel client={tagged.client} />
            <div className="grid items-start gap-4 xl:grid-cols-[1fr_19rem]">
              <div className="grid min-w-0 gap-4">
                <EmailsPanel clientId={id} />
                <TimelinePanel clientId={id} />
              </div>
              <div className="-order-1 xl:order-none">
                <DetailsPanel {...tagged} />
              </div>
            </div>
          </Together>
        )}
      </Loaded>
    </>
  );
}

function Gone() {
  return (
    <>
      <h1 className="sr-only">{text.title}</h1>
      <Empty title={text.gone}>
        <p className="mb-3">{text.goneHint}</p>
        <Link href="/clients/" className={buttonClasses()}>
          {text.goToClients}
        </Link>
      </Empty>
    </>
  );
}
