import { useEffect, useState } from "react";
import { text } from "@/text/shell";
import { Dialog } from "@/ui/dialog";

/** Call `act` when the key is pressed, not held, and nothing is being typed; `null` is no key for now. */
export function useShortcut(key: string | null, act: () => void): void {
  useEffect(() => {
    if (key === null) return;
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      const isTyping = target.closest("input, textarea, select, [contenteditable]");
      if (event.metaKey || event.ctrlKey || event.altKey || event.repeat || isTyping) return;
      if (document.querySelector("dialog[open], [popover]:popover-open")) return;
      if (event.key.toLowerCase() !== key) return;
      event.preventDefault();
      act();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [key, act]);
}

/** The list of shortcuts, opened by `?`. */
export function ShortcutHelp() {
  const [isOpen, setOpen] = useState(false);
  useShortcut("?", () => setOpen(true));
  return (
    <Dialog title={text.shortcuts} isOpen={isOpen} onClose={() => setOpen(false)}>
      <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-2 text-sm">
        {text.shortcutList.map(([keys, what]) => (
          <div key={keys} className="contents">
            <dt className="font-mono">{keys}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
