import { type ReactNode, useState } from "react";
import { ApiProblem } from "@/api/problem";
import { text } from "@/text/settings";
import { Button } from "@/ui/button";
import { Form } from "@/ui/form";
import { Loaded } from "@/ui/loaded";
import { Alert, Panel, Skeleton } from "@/ui/parts";
import { type StoredProfile, useProfile, type useSaveProfile } from "./profile";

interface ProfilePartProps {
  title: string;
  /** The form of this part; what is stored is its first values, and stays that until it is asked for. */
  children(stored: StoredProfile, onReload: () => void): ReactNode;
}

/** A part of the profile, as it is stored. */
export function ProfilePart({ title, children }: ProfilePartProps) {
  const query = useProfile();
  const [round, setRound] = useState(0);
  const reload = () => void query.refetch().then(() => setRound((round) => round + 1));
  return (
    <Panel title={title}>
      <Loaded query={query} skeleton={<Skeleton className="h-64" />}>
        {(stored) => stored && <div key={round}>{children(stored, reload)}</div>}
      </Loaded>
    </Panel>
  );
}

interface ProfileFormProps {
  submission: ReturnType<typeof useSaveProfile>;
  shown: readonly string[];
  onReload(): void;
  children: ReactNode;
}

/** A form of the profile. When somebody else has changed it, there is a way to what is stored. */
export function ProfileForm({ submission, shown, onReload, children }: ProfileFormProps) {
  const { error } = submission;
  const isStale = error instanceof ApiProblem && error.status === 412;
  return (
    <div className="grid grid-cols-1 gap-4">
      {isStale && (
        <Alert tone="warn">
          <div className="flex flex-wrap items-center justify-between gap-2">
            {text.stale}
            <Button onClick={onReload}>{text.loadStored}</Button>
          </div>
        </Alert>
      )}
      <Form
        submission={isStale ? { ...submission, error: null } : submission}
        label={text.save}
        shown={shown}
      >
        {children}
      </Form>
    </div>
  );
}
