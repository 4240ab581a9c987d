import type { ComponentProps } from "react";
import { text } from "@/text/settings";
import { TextField } from "@/ui/field";

type CurrentPasswordProps = Omit<ComponentProps<typeof TextField>, "label">;

/** The password that there is, asked for once more before something of the log-in changes. */
export function CurrentPassword(props: CurrentPasswordProps) {
  return (
    <TextField
      label={text.currentPassword}
      type="password"
      autoComplete="current-password"
      required
      {...props}
    />
  );
}
