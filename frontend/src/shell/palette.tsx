import { Autocomplete } from "@base-ui/react/autocomplete";
import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import { api, read } from "@/api/client";
import { clientPage, useNavigation } from "@/navigation";
import { text } from "@/text/shell";
import { Dialog } from "@/ui/dialog";
import { inputClasses } from "@/ui/field";
import { accountPages } from "./account_menu";
import { useAgent } from "./me";
import { PAGES } from "./navigation_bar";

interface Target {
  href: string;
  label: string;
  detail?: string;
}

/** Where to go: a page, or a client that the server finds among all. */
export function Palette({ onClose }: { onClose(): void }) {
  const { go } = useNavigation();
  const [typed, setTyped] = useState("");
  const q = useDeferredValue(typed.trim());
  const found = useQuery({
    queryKey: ["clients", "palette", q],
    queryFn: () => read(api.GET("/api/clients", { params: { query: { q, limit: 8 } } })),
    enabled: q.length > 0,
    meta: { still: true },
  });
  const all = [...PAGES, ...accountPages(useAgent().role)];
  const pages = all.filter(([, label]) => label.toLowerCase().includes(q.toLowerCase()));
  const targets: Target[] = [
    ...pages.map(([href, label]) => ({ href, label })),
    ...(q ? (found.data ?? []) : []).map(({ _id, name, email }) => ({
      href: clientPage(_id),
      label: name,
      detail: email,
    })),
  ];
  return (
    <Dialog title={text.search} isOpen onClose={onClose}>
      <Autocomplete.Root
        inline
        open
        autoHighlight="always"
        items={targets}
        filter={null}
        value={typed}
        onValueChange={setTyped}
        itemToStringValue={({ label }: Target) => label}
      >
        <Autocomplete.Input
          aria-label={text.searchHint}
          placeholder={text.searchHint}
          className={inputClasses}
        />
        <Autocomplete.Empty className="px-3 text-sm text-soft not-empty:py-3">
          {text.noMatches}
        </Autocomplete.Empty>
        <Autocomplete.List className="mt-2 grid" aria-label={text.search}>
          {(target: Target) => (
            <Autocomplete.Item
              key={target.href}
              value={target}
              onClick={() => {
                onClose();
                go(target.href);
              }}
              className="flex min-h-9 cursor-pointer items-center justify-between gap-4 rounded-box px-3 text-sm data-highlighted:bg-accent-wash"
            >
              <span className="truncate">{target.label}</span>
              <span className="truncate text-soft">{target.detail}</span>
            </Autocomplete.Item>
          )}
        </Autocomplete.List>
      </Autocomplete.Root>
    </Dialog>
  );
}
