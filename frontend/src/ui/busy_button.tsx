import type { ComponentProps } from "react";
import { useAct } from "./act";
import { Button } from "./button";

interface BusyButtonProps extends Omit<ComponentProps<typeof Button>, "onClick" | "isBusy"> {
  /** What is asked of the API. */
  act(): Promise<unknown>;
  /** What is told once it is done. */
  done?: string | undefined;
  onDone?(): void;
}

/** A button that asks something of the API, once at a time, and tells how it went. */
export function BusyButton({ act, done, onDone, ...rest }: BusyButtonProps) {
  const { mutate, isPending } = useAct(act, () => done);
  const press = () => mutate(undefined, onDone && { onSuccess: onDone });
  return <Button isBusy={isPending} onClick={press} {...rest} />;
}
