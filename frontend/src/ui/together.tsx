import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { Skeleton } from "./parts";

/** Parts of a page below each other, shown once all have what they show: so none moves another. */
export function Together({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    if (isShown) return;
    const queries = client.getQueryCache();
    const look = () => {
      const used = queries.findAll({ type: "active" });
      if (used.every(({ state }) => state.status !== "pending")) setShown(true);
    };
    look();
    return queries.subscribe(look);
  }, [client, isShown]);
  return (
    <>
      {!isShown && <Skeleton className="h-[70dvh]" />}
      <div className={isShown ? "grid gap-4" : "hidden"}>{children}</div>
    </>
  );
}
