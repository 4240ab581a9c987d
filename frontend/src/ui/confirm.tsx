import type { ReactNode } from "react";
import { Dialog } from "./dialog";
import { Form, useSubmit } from "./form";

interface ConfirmProps {
  title: string;
  /** What happens then. */
  children: ReactNode;
  /** What the button says that does it. */
  label: string;
  isDanger?: boolean;
  act(key: string): Promise<unknown>;
  done: string;
  onClose(): void;
}

/** A dialog that asks before something is done. */
export function Confirm({ title, children, act, done, onClose, ...rest }: ConfirmProps) {
  const submission = useSubmit(act, { done, onDone: onClose });
  return (
    <Dialog title={title} isOpen onClose={onClose}>
      <Form submission={submission} onCancel={onClose} {...rest}>
        <div className="text-sm">{children}</div>
      </Form>
    </Dialog>
  );
}
