import { type ReactNode, useEffect, useId, useRef } from "react";
import { text } from "@/text/common";

interface DialogProps {
  title: string;
  isOpen: boolean;
  /** Asked by Escape, the cross, or a press outside; without it the dialog stays. */
  onClose?: () => void;
  width?: "narrow" | "wide";
  children: ReactNode;
}

/**
 * A dialog over the page. A form's first field has the focus, which stays within, and goes back to
 * what opened it. A press that begins beside the dialog closes it.
 */
export function Dialog({ isOpen, ...rest }: DialogProps) {
  return isOpen && <OpenDialog {...rest} />;
}

/** What has the focus at first, if there is such a thing. */
const FIRST = "form :is(input, select, textarea), [role=combobox]";

function OpenDialog({ title, onClose, width = "narrow", children }: Omit<DialogProps, "isOpen">) {
  const ref = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const dialog = ref.current;
    const opener = document.activeElement;
    // After the press has been shown: the browser looks at the whole page anew, which takes long.
    let timer: ReturnType<typeof setTimeout>;
    const frame = requestAnimationFrame(() => {
      timer = setTimeout(() => {
        dialog?.querySelector(FIRST)?.setAttribute("autofocus", "");
        dialog?.showModal();
      });
    });
    return () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      dialog?.close();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
      onPointerDown={(event) => event.target === ref.current && onClose?.()}
      className={`fixed inset-x-2 top-[4dvh] mx-auto max-h-[92dvh] w-auto overflow-y-auto overscroll-contain rounded-box border border-line bg-surface p-0 text-ink shadow-xl backdrop:bg-black/50 ${width === "wide" ? "max-w-3xl" : "max-w-lg"}`}
    >
      <div className="p-5">
        <div className="mb-4 flex items-start justify-between gap-4">
          <h2 id={heading} className="text-lg font-semibold">
            {title}
          </h2>
          {onClose && (
            <button
              type="button"
              aria-label={text.close}
              onClick={onClose}
              className="-m-1 size-8 shrink-0 rounded-box text-xl leading-none hover:bg-sunken"
            >
              ×
            </button>
          )}
        </div>
        {children}
      </div>
    </dialog>
  );
}
