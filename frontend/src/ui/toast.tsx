import { Toast } from "@base-ui/react/toast";
import { text } from "@/text/common";

const manager = Toast.createToastManager();

const UNDO_MS = 10_000;

/** Tell that something is done, or why it is not. */
export function tell(words: string, kind: "done" | "problem" = "done"): void {
  manager.add({ title: words, type: kind, priority: kind === "problem" ? "high" : "low" });
}

/**
 * Tell that something will be done; do it after ten seconds, or when the page is left, unless the
 * agent takes it back.
 */
export function tellUndoable(words: string, carryOut: () => void, takeBack?: () => void): void {
  let isSettled = false;
  const settle = (then?: () => void) => {
    if (isSettled) return;
    isSettled = true;
    window.removeEventListener("pagehide", atEnd);
    then?.();
  };
  const atEnd = () => settle(carryOut);
  const id = manager.add({
    title: words,
    timeout: UNDO_MS,
    onClose: atEnd,
    actionProps: {
      children: text.undo,
      onClick: () => {
        settle(takeBack);
        manager.close(id);
      },
    },
  });
  window.addEventListener("pagehide", atEnd);
}

/** Where the toasts appear. */
export function Toasts() {
  return (
    <Toast.Provider toastManager={manager}>
      <Toast.Portal>
        <Toast.Viewport className="fixed inset-x-2 bottom-20 z-60 mx-auto grid max-w-md gap-2 lg:bottom-4">
          <ToastList />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

function ToastList() {
  const { toasts } = Toast.useToastManager();
  return toasts.map((toast) => (
    <Toast.Root
      key={toast.id}
      toast={toast}
      className={`flex items-center justify-between gap-3 rounded-box border p-3 text-sm shadow-lg ${
        toast.type === "problem" ? "border-bad bg-bad-wash text-bad" : "border-line bg-surface"
      }`}
    >
      <Toast.Title render={<p />} />
      <div className="flex shrink-0 items-center gap-1">
        <Toast.Action className="rounded-box px-2 py-1 font-medium text-accent hover:bg-sunken" />
        <Toast.Close aria-label={text.close} className="size-8 rounded-box hover:bg-sunken">
          ×
        </Toast.Close>
      </div>
    </Toast.Root>
  ));
}
