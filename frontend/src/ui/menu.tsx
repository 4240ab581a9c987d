import { createContext, type ReactNode, type ToggleEvent, useContext, useId, useRef } from "react";
import { buttonClasses } from "./button";

const Close = createContext(() => {});

interface MenuProps {
  /** What the button says; of what, for who does not see where it stands. */
  label: ReactNode;
  of?: string;
  className?: string;
  children: ReactNode;
}

/** A button that opens a list of things to do. */
export function Menu({ label, of, className = buttonClasses(), children }: MenuProps) {
  const id = useId();
  const trigger = useRef<HTMLButtonElement>(null);
  const popup = useRef<HTMLDivElement>(null);
  const close = () => popup.current?.hidePopover();
  const place = ({ newState }: ToggleEvent) => {
    if (newState !== "open" || !trigger.current || !popup.current) return;
    const { top, bottom, right } = trigger.current.getBoundingClientRect();
    const { clientWidth, clientHeight } = document.documentElement;
    const isLow = bottom > clientHeight * 0.6;
    Object.assign(popup.current.style, {
      top: isLow ? "auto" : `${bottom + 4}px`,
      bottom: isLow ? `${clientHeight - top + 4}px` : "auto",
      // Not beyond the left edge of a phone.
      right: `${Math.min(clientWidth - right, Math.max(clientWidth - 232, 8))}px`,
    });
    // In the next frame: what was scrolled to bring the button here has its event before that.
    requestAnimationFrame(() => window.addEventListener("scroll", close, { once: true }));
  };
  const enter = ({ newState }: ToggleEvent) => {
    if (newState === "open") popup.current?.querySelector("button")?.focus();
  };
  return (
    <>
      <button ref={trigger} type="button" popoverTarget={id} className={className}>
        {label}
        {of && <span className="sr-only">{of}</span>}
      </button>
      <div
        ref={popup}
        id={id}
        popover="auto"
        onBeforeToggle={place}
        onToggle={enter}
        className="inset-auto m-0 w-56 rounded-box border border-line bg-surface p-1 text-ink shadow-xl"
      >
        <Close value={close}>{children}</Close>
      </div>
    </>
  );
}

interface MenuItemProps {
  onChoose(): void;
  isDanger?: boolean;
  children: ReactNode;
}

export function MenuItem({ onChoose, isDanger = false, children }: MenuItemProps) {
  const close = useContext(Close);
  return (
    <button
      type="button"
      onClick={() => {
        // First: the focus goes back to the menu's button, and a dialog that opens now gives it back.
        close();
        onChoose();
      }}
      className={`flex min-h-9 w-full items-center rounded-box px-3 text-left text-sm hover:bg-sunken ${isDanger ? "text-bad" : ""}`}
    >
      {children}
    </button>
  );
}
