import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { reasonOf } from "@/api/problem";
import { refreshAll } from "@/api/queries";
import { text } from "@/text/common";
import { tell } from "./toast";

/**
 * Ask something of the API, once at a time, and tell how it went: `done` once it is carried out.
 */
export function useAct<T = void>(
  act: (value: T) => Promise<unknown>,
  done?: (value: T) => string | undefined,
) {
  const client = useQueryClient();
  const isUnderWay = useRef(false);
  const mutation = useMutation({
    mutationFn: act,
    onSuccess: (_, value) => {
      const words = done?.(value);
      if (words) tell(words);
    },
    onError: (error) => tell(reasonOf(error, text.unreachable), "problem"),
    onSettled: () => {
      isUnderWay.current = false;
      refreshAll(client);
    },
  });
  const mutate: typeof mutation.mutate = (...of) => {
    // A second press may come before the button shows that it is busy.
    if (isUnderWay.current) return;
    isUnderWay.current = true;
    mutation.mutate(...of);
  };
  return { ...mutation, mutate };
}
